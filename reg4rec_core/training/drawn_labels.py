"""The pre-training loss with labels drawn from the network's own predictions: what the true Fisher is made of."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy, embedding, one_hot

from reg4rec_core.config import PretrainConfig
from reg4rec_core.model import EncoderDecoder, SparseRows
from reg4rec_core.precision import SampledLoss
from reg4rec_core.training.losses import CHUNK_ROWS, catalog_loss, left_items_loss, unused_codebooks
from reg4rec_core.training.objective import BatchShare, CatalogTensors, evidence_everywhere, padded_rows
from reg4rec_core.training.parallel import no_loss

Choose = Callable[[Float[Tensor, "R K"], Int[Tensor, "R"]], Int[Tensor, "R"]]
"""The labels of R predictions, from their logits and the data's labels."""


def drawn(generator: torch.Generator) -> Choose:
    """Choose labels by the softmax of the logits, whatever the data say."""

    def choose(logits: Float[Tensor, "R K"], truth: Int[Tensor, "R"]) -> Int[Tensor, "R"]:
        labels = []
        for chunk in logits.detach().split(CHUNK_ROWS):
            # One random number a row and a search; torch.multinomial draws one a class, which takes longer.
            reached = chunk.softmax(1).cumsum(1)
            total = reached[:, -1:].contiguous()
            point = torch.rand(total.shape, generator=generator, device=total.device) * total
            point = torch.minimum(point, total.nextafter(torch.zeros_like(total)))
            labels.append(torch.searchsorted(reached, point, right=True)[:, 0])
        return torch.cat(labels)

    return choose


def drawn_loss(
    network: EncoderDecoder,
    share: BatchShare,
    catalog: CatalogTensors,
    config: PretrainConfig,
    generator: torch.Generator,
) -> SampledLoss:
    """The loss of a worker's rows with labels drawn from the network's own predictions."""
    return labelled_loss(network, share, catalog, config, drawn(generator))


def labelled_loss(
    network: EncoderDecoder, share: BatchShare, catalog: CatalogTensors, config: PretrainConfig, choose: Choose
) -> SampledLoss:
    """The weighted loss of `pretrain_losses` on a worker's rows, its labels chosen.

    The inputs stay the data's: the codes that the decoder has read so far, and the items that they leave.
    """
    windows, prefixes = share.windows, share.prefixes
    if not len(windows):
        return SampledLoss(no_loss(network), 0)
    history, targets = windows[:, :-1], windows[:, 1:]
    table, real = network.item_table(), history > 0
    memory = network.encode(history, table)
    evidence = evidence_everywhere(network, windows)
    at_positions = evidence.take(real.flatten().nonzero()[:, 0])
    item = chosen_item_loss(memory[real], table, targets[real], at_positions, choose)
    rows, last, orders = prefixes.rows, prefixes.last, prefixes.orders
    if not len(rows):
        return SampledLoss(config.item_weight * item + no_loss(network), len(windows))
    target = targets[rows, last]
    path = network.decode(memory[rows], history[rows], last, orders, catalog.codes[target])
    at_prefixes = evidence.take(rows * history.shape[1] + last)
    item = item + chosen_item_loss(path.queries[:, 0], table, target, at_prefixes, choose)
    counted = at_prefixes.dense(len(table))
    item = item + chosen_left_loss(path.queries, table, catalog, target, orders, counted, choose)
    token = chosen_token_loss(network.code_logits(path.states), catalog.codes[target], orders, choose)
    categories = catalog.categories[target][:, None].expand(path.states.shape[:2])
    category = chosen_cross_entropy(path.category_logits, categories, choose).mean()
    loss = config.item_weight * item + config.token_weight * token + config.category_weight * category
    return SampledLoss(loss, len(windows))


def chosen_item_loss(
    queries: Float[Tensor, "R D"],
    table: Float[Tensor, "N D"],
    truth: Int[Tensor, "R"],
    evidence: SparseRows,
    choose: Choose,
) -> Float[Tensor, ""]:
    """Next item over the whole catalogue."""
    labels = []
    for start in range(0, len(queries), CHUNK_ROWS):
        chunk, wanted = queries.detach()[start : start + CHUNK_ROWS], truth[start : start + CHUNK_ROWS]
        places, values = evidence.places(start, start + len(chunk), len(table))
        logits = chunk @ table.detach().T
        logits.view(-1).index_add_(0, places, values)
        logits[:, 0] = -torch.inf  # padding is never an answer
        labels.append(choose(logits, wanted))
    return catalog_loss(queries, table, torch.cat(labels), evidence)


def chosen_left_loss(
    queries: Float[Tensor, "E M D"],
    table: Float[Tensor, "N D"],
    catalog: CatalogTensors,
    target: Int[Tensor, "E"],
    orders: Int[Tensor, "E M"],
    evidence: Float[Tensor, "E N"],
    choose: Choose,
) -> Float[Tensor, ""]:
    """An item among those that the target's first codes leave, summed over steps."""
    by_codebook = catalog.codes_by_codebook
    wanted = catalog.codes[target].gather(1, orders).to(by_codebook.dtype)  # in the order they are emitted
    allowed = torch.ones(len(target), len(table), dtype=torch.bool, device=table.device)
    allowed[:, 0] = False
    total = queries.new_zeros(())
    for step in range(1, orders.shape[1]):
        allowed = allowed & (by_codebook[orders[:, step - 1]] == wanted[:, step - 1 : step])
        items = padded_rows(allowed)  # (E, P)
        logits = torch.einsum("ed,epd->ep", queries[:, step], embedding(items, table)) + evidence.gather(1, items)
        columns = choose(logits.masked_fill(items == 0, -torch.inf), (items == target[:, None]).int().argmax(1))
        total = total + left_items_loss(logits, items > 0, one_hot(columns, items.shape[1]).bool())
    return total


def chosen_token_loss(
    logits: Float[Tensor, "E T M K"], codes: Int[Tensor, "E M"], orders: Int[Tensor, "E M"], choose: Choose
) -> Float[Tensor, ""]:
    """A code of every codebook not yet used, at every step."""
    unused = unused_codebooks(orders)
    losses = chosen_cross_entropy(logits, codes[:, None].expand(logits.shape[:-1]), choose)
    return (losses * unused).sum() / unused.sum()


def chosen_cross_entropy(
    logits: Float[Tensor, "*shape K"], truth: Int[Tensor, "*shape"], choose: Choose
) -> Float[Tensor, "*shape"]:
    """-log p(chosen label) of every prediction."""
    flat = logits.flatten(0, -2)
    return cross_entropy(flat, choose(flat, truth.flatten()), reduction="none").view(truth.shape)
