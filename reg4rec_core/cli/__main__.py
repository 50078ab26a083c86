"""`python -m reg4rec_core.cli` is `reg4rec`."""

from reg4rec_core.cli import main

main()
