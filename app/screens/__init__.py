"""One module a page: widgets in, view-model out."""
