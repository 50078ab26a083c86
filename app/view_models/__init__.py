"""One module a page, same name: core types in, DataFrames and strings out."""
