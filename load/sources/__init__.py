"""One module a source: where its data is, how it pages, what its cursor is."""

SOURCES = ("crm", "web", "mobile", "shop", "catalog", "marketing", "marketplace", "store", "fx")
