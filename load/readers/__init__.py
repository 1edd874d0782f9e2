"""What several sources share: files, delimited text, product feeds, pages of an API, tables of a database."""
