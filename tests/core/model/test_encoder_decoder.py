import pytest
import torch

from reg4rec_core.model import EncoderDecoder, Reasoner
from reg4rec_core.model.transformer import FrequencyFilter

N, M, K, C, LENGTH = 12, 3, 4, 5, 6


def make_network(**settings):
    torch.manual_seed(1)
    codes = torch.randint(K, (N, M))
    sizes = {"width": 16, "hidden": 24, "encoder_layers": 1, "decoder_layers": 2, "n_heads": 4, "filter_share": 0.4}
    network = EncoderDecoder(codes, codebook_size=K, n_categories=C, history_length=LENGTH, **(sizes | settings))
    for parameter in network.parameters():  # far from the start, so that every part has a say
        torch.nn.init.normal_(parameter, std=0.3)
    return network.eval()


def decode_one(network, history, order, codes):
    table = network.item_table()
    memory = network.encode(history, table)
    last = torch.full((len(history),), history.shape[1] - 1)
    return network.decode(memory, history, last, order, codes)


def test_an_item_vector_is_the_sum_of_its_code_embeddings_and_its_residual():
    network = make_network()
    table = network.item_table()
    item = 5
    expected = network.item_residual.weight[item].clone()
    for codebook in range(M):
        code = network.flat_codes[item, codebook] - codebook * K
        expected += network.code_embedding.weight[codebook * K + code]
    torch.testing.assert_close(table[item], expected)
    assert table[0].abs().sum() == 0


def test_a_position_of_the_encoder_never_sees_later_items():
    network = make_network()
    history = torch.tensor([[1, 2, 3, 4, 5, 6]])
    changed = torch.tensor([[1, 2, 3, 4, 9, 10]])
    table = network.item_table()
    before, after = network.encode(history, table), network.encode(changed, table)
    torch.testing.assert_close(before[:, :4], after[:, :4])
    assert not torch.allclose(before[:, 4:], after[:, 4:])


def test_left_padding_changes_nothing():
    network = make_network()
    table = network.item_table()
    short, long = torch.tensor([[3, 4, 5]]), torch.tensor([[0, 0, 0, 3, 4, 5]])
    torch.testing.assert_close(network.encode(short, table), network.encode(long, table)[:, 3:])
    order, codes = torch.tensor([[2, 0, 1]]), torch.tensor([[1, 2, 3]])
    padded, bare = decode_one(network, long, order, codes), decode_one(network, short, order, codes)
    torch.testing.assert_close(padded.queries, bare.queries)


def test_the_filter_keeps_the_mean_of_the_newest_items_and_damps_the_rest():
    split = FrequencyFilter(2)
    torch.nn.init.constant_(split.root, 0.5)
    states = torch.tensor([[[9.0, 9.0], [1.0, 2.0], [3.0, 8.0], [5.0, 2.0], [7.0, 2.0]]])
    real = torch.tensor([[False, True, True, True, True]])
    means = torch.tensor([[1.0, 2.0], [2.0, 5.0], [3.0, 4.0], [5.0, 4.0]])  # of one, two, three and three items
    torch.testing.assert_close(split(states, real)[0, 1:], means + 0.25 * (states[0, 1:] - means))


def test_item_vectors_start_alike_where_features_are_alike():
    network = make_network()
    features = torch.randn(N, 5)
    features[7] = features[3]
    network.read_features(features, scale=0.05)
    start = network.item_residual.weight
    torch.testing.assert_close(start[7], start[3])
    assert start[1:].std().item() == pytest.approx(0.05 * (5 / 16) ** 0.5, rel=0.05)  # five dimensions, turned into 16
    apart, distance = torch.cdist(start[1:], start[1:]), torch.cdist(features[1:], features[1:])
    torch.testing.assert_close(apart / apart.max(), distance / distance.max(), atol=1e-4, rtol=1e-4)


def test_the_order_of_a_history_matters():
    network = make_network()
    table = network.item_table()
    forward, backward = torch.tensor([[0, 0, 0, 3, 4, 5]]), torch.tensor([[0, 0, 0, 4, 3, 5]])
    assert not torch.allclose(network.encode(forward, table)[:, -1], network.encode(backward, table)[:, -1])


def test_a_prefix_inside_a_sequence_is_decoded_as_if_it_stood_alone():
    network = make_network()
    table = network.item_table()
    sequence = torch.tensor([[7, 3, 4, 5, 8, 9]])
    order, codes = torch.tensor([[2, 0, 1]]), torch.tensor([[1, 2, 3]])
    inside = network.decode(network.encode(sequence, table), sequence, torch.tensor([3]), order, codes)
    alone = decode_one(network, torch.tensor([[0, 0, 7, 3, 4, 5]]), order, codes)
    torch.testing.assert_close(inside.states, alone.states)
    torch.testing.assert_close(inside.queries, alone.queries)


def test_a_decoder_step_sees_only_the_codes_emitted_before_it():
    network = make_network()
    history = torch.tensor([[0, 1, 2, 3, 4, 5]])
    order = torch.tensor([[2, 0, 1]])
    one, other = (
        decode_one(network, history, order, torch.tensor([[1, 2, 3]])),
        decode_one(network, history, order, torch.tensor([[0, 2, 3]])),
    )
    torch.testing.assert_close(one.states[:, :2], other.states[:, :2])  # codebook 0 comes second
    assert not torch.allclose(one.states[:, 2], other.states[:, 2])


def test_a_new_network_reasons_as_its_encoder_does():
    torch.manual_seed(0)
    codes = torch.randint(K, (N, M))
    network = EncoderDecoder(
        codes, codebook_size=K, n_categories=C, history_length=LENGTH, width=16, hidden=24, encoder_layers=1,
        decoder_layers=2, n_heads=4,
    ).eval()  # fmt: skip
    history = torch.tensor([[0, 1, 2, 3, 4, 5]])
    path = decode_one(network, history, torch.tensor([[2, 0, 1]]), torch.tensor([[1, 2, 3]]))
    encoded = network.encode(history, network.item_table())[:, -1]
    torch.testing.assert_close(path.queries, encoded[:, None].expand(-1, M, -1))


def test_taking_codes_one_by_one_gives_the_teacher_forced_states():
    network = make_network()
    reasoner = Reasoner(network)
    history = torch.tensor([[0, 0, 1, 2, 3, 4], [5, 6, 7, 8, 9, 10]])
    order, codes = torch.tensor([[2, 0, 1], [1, 2, 0]]), torch.tensor([[1, 2, 3], [0, 3, 2]])
    path = decode_one(network, history, order, codes)
    state = reasoner.encode(history)
    parent = torch.zeros(2, 1, dtype=torch.long)
    for step in range(M):
        torch.testing.assert_close(state.states[:, 0], path.states[:, step])
        torch.testing.assert_close(state.queries[:, 0], path.queries[:, step])
        belief = torch.log_softmax(path.category_logits[:, step], -1)
        torch.testing.assert_close(reasoner.category_log_probs(state)[:, 0], belief)
        if step < M - 1:
            codebook = order[:, step : step + 1]
            state = reasoner.step(state, parent, codebook, codes.gather(1, codebook))


def test_children_continue_the_parent_they_name():
    reasoner = Reasoner(make_network())
    root = reasoner.encode(torch.tensor([[0, 0, 1, 2, 3, 4]]))
    zeros = torch.zeros(1, 2, dtype=torch.long)
    first = reasoner.step(root, zeros, torch.tensor([[0, 1]]), torch.tensor([[2, 3]]))
    swapped = reasoner.step(first, torch.tensor([[1, 0]]), torch.tensor([[2, 2]]), torch.tensor([[0, 0]]))
    alone = reasoner.step(root, zeros[:, :1], torch.tensor([[1]]), torch.tensor([[3]]))
    alone = reasoner.step(alone, zeros[:, :1], torch.tensor([[2]]), torch.tensor([[0]]))
    torch.testing.assert_close(swapped.queries[:, 0], alone.queries[:, 0])
    joined = reasoner.join([swapped, alone])
    torch.testing.assert_close(joined.states[:, 2], alone.states[:, 0])
    belief = reasoner.category_log_probs(joined)
    torch.testing.assert_close(belief[:, 0], belief[:, 2])
    assert joined.keys[0].shape[1] == 3


def test_a_belief_starts_from_what_the_catalogue_says_of_the_codes():
    codes = torch.tensor([[0, 0], [1, 0], [1, 1], [2, 1], [2, 2]])
    network = EncoderDecoder(
        codes, codebook_size=3, n_categories=2, history_length=4, width=8, hidden=8, encoder_layers=1,
        decoder_layers=1, n_heads=2,
    ).eval()  # fmt: skip
    network.read_categories(torch.tensor([0, 0, 0, 1, 1]))
    overall = torch.tensor([3 / 6, 3 / 6])  # two items of each category, and one of each beside them
    # code 1 of codebook 0 is carried by two items of category 0, code 1 of codebook 1 by one of each
    for row, counts in ((1, [2.0, 0.0]), (3 + 1, [1.0, 1.0]), (0, [0.0, 0.0])):
        shares = (torch.tensor(counts) + overall) / (sum(counts) + 1)
        torch.testing.assert_close(network.code_categories.weight[row].detach(), (shares / overall).log())
    with torch.no_grad():
        network.category_head.weight.zero_(), network.category_head.bias.zero_()
    reasoner = Reasoner(network)
    root = reasoner.encode(torch.tensor([[0, 0, 0, 1]]))
    zero, one = torch.zeros(1, 1, dtype=torch.long), torch.ones(1, 1, dtype=torch.long)
    after = reasoner.category_log_probs(reasoner.step(root, zero, zero, one)).exp()[0, 0]
    odds = (network.code_trust[1].detach() * network.code_categories.weight[1].detach()).exp()
    torch.testing.assert_close(after, odds / odds.sum())
    torch.testing.assert_close(reasoner.category_log_probs(root).exp()[0, 0], torch.tensor([0.5, 0.5]))


def test_distributions_are_normalised_and_padding_has_no_probability():
    reasoner = Reasoner(make_network())
    state = reasoner.encode(torch.tensor([[0, 0, 1, 2, 3, 4]]))
    torch.testing.assert_close(reasoner.category_log_probs(state).exp().sum(-1), torch.ones(1, 1))
    torch.testing.assert_close(reasoner.head_log_probs(state).exp().sum(-1), torch.ones(1, 1, M))
    logits = reasoner.catalog_logits(state)
    assert logits[0, 0, 0] == -torch.inf
    chosen = torch.tensor([[[3, 0, 7]]])
    torch.testing.assert_close(reasoner.item_logits(state, chosen)[0, 0], logits[0, 0, chosen[0, 0]])


def test_a_history_of_another_length_is_refused():
    with pytest.raises(ValueError, match="length 6, got 4"):
        Reasoner(make_network()).encode(torch.tensor([[1, 2, 3, 4]]))
