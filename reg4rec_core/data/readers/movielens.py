"""MovieLens as published since 2015: ratings.csv and movies.csv."""

from pathlib import Path

from reg4rec_core.data.source import (
    SourceTables,
    clean_text,
    interactions_table,
    items_table,
    key_column,
    read_csv,
    require_unique,
    split_path,
    time_column,
)

NO_GENRES = "(no genres listed)"


def read_source(source: Path) -> SourceTables:
    """Read ratings.csv (userId, movieId, timestamp) and movies.csv (movieId, title, genres).

    Every rating counts as an interaction, whatever its value. A movie's genres, in the order listed, are its category
    path, so that rare combinations are merged into more common ones that begin alike.
    """
    log_path, items_path = source / "ratings.csv", source / "movies.csv"
    log = read_csv(log_path, ["userId", "movieId", "timestamp"])
    movies = read_csv(items_path, ["movieId", "title", "genres"])
    keys = key_column(items_path, movies, "movieId")
    require_unique(items_path, "movieId", keys)
    return SourceTables(
        interactions_table(
            key_column(log_path, log, "userId"),
            key_column(log_path, log, "movieId"),
            time_column(log_path, log, "timestamp"),
        ),
        items_table(
            keys.tolist(),
            [clean_text(title) for title in movies["title"]],
            [""] * len(movies),
            [() if genres == NO_GENRES else split_path(genres, "|") for genres in movies["genres"]],
        ),
        description=f"MovieLens: {source.name}/ratings.csv, movies.csv",
    )
