"""One module a source: where its data is, how it pages, what its cursor is. A module that is put here is a source."""

from pkgutil import iter_modules

SOURCES = tuple(module.name for module in iter_modules(__path__))
