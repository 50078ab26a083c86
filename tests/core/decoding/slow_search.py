"""The search of one history in plain Python and float64, as the design states it: one beam, one item at a time."""

import math
from dataclasses import dataclass

import numpy as np
from lookup_model import LookupModel, Path

from reg4rec_core.config import DecodeConfig
from reg4rec_core.types import Fate, SemanticIds


@dataclass
class Node:
    parent: int
    path: Path
    log_prob: float
    score: float
    confidence: float
    items: list[int]
    attempt: int = 0
    js: float = math.nan
    fate: Fate = Fate.BEAM_CUT
    belief: tuple[float, ...] | None = None


@dataclass
class SlowResult:
    nodes: list[Node]
    items: list[int]
    scores: list[float]
    item_nodes: list[int]


def normalise(weights: dict) -> dict:
    total = sum(weights.values())
    return {key: weight / total for key, weight in weights.items()}


def js_by_hand(p: tuple[float, ...], q: tuple[float, ...]) -> float:
    def kl(a: tuple[float, ...]) -> float:
        return sum(x * math.log(2 * x / (y + z)) for x, y, z in zip(a, p, q, strict=True) if x > 0)

    return (kl(p) + kl(q)) / 2


class SlowSearch:
    def __init__(self, model: LookupModel, ids: SemanticIds, history: np.ndarray, config: DecodeConfig) -> None:
        self.model, self.codes, self.config = model, ids.codes.tolist(), config
        self.history = tuple(int(item) for item in history if item)
        self.barred = set(self.history) if config.exclude_history else set()

    def belief(self, path: Path) -> tuple[float, ...]:
        logs = self.model.look_up(self.history, path).category_log_probs.tolist()
        return tuple(normalise(dict(enumerate(math.exp(value) for value in logs))).values())

    def first_state(self, item: int) -> float:
        return math.exp(self.model.look_up(self.history, ()).item_logits[item].item())

    def options(self, path: Path, items: list[int]) -> tuple[int, dict[int, float], dict[int, float]]:
        """The next codebook, the probability of its codes, the probability of every item at this state."""
        answers, kind = self.model.look_up(self.history, path), self.config.code_probabilities
        allowed = [item for item in items if item not in self.barred]
        free = [m for m in range(self.model.n_codebooks) if m not in dict(path)]
        by_item = normalise({item: math.exp(answers.item_logits[item].item()) for item in allowed})
        heads = answers.head_log_probs.double().exp().tolist()
        by_heads = normalise({i: math.prod(heads[m][self.codes[i][m]] for m in free) for i in allowed})
        completion = {
            "item_marginal": by_item,
            "heads": by_heads,
            "mixture": {item: (by_item[item] + by_heads[item]) / 2 for item in allowed},
        }[kind]
        tables, confidences = {}, {}
        for m in free:
            codes = sorted({self.codes[item][m] for item in allowed})
            masses = {k: sum(by_item[item] for item in allowed if self.codes[item][m] == k) for k in codes}
            renormalised = normalise({k: heads[m][k] for k in codes})
            mean = {k: (masses[k] + renormalised[k]) / 2 for k in codes}
            tables[m] = {"item_marginal": masses, "heads": renormalised, "mixture": mean}[kind]
            confidences[m] = max(heads[m][k] for k in codes) if kind == "heads" else max(tables[m].values())
            if kind != "heads" and len(codes) == 1:
                confidences[m] = -1.0
        codebook = free[0]
        if self.config.selection == "confidence":
            codebook = max(free, key=lambda m: (confidences[m], -m))
        return codebook, tables[codebook], completion

    def candidates(self, nodes: list[Node], beam: list[int]) -> list[Node]:
        found = []
        for row in beam:
            node = nodes[row]
            if not set(node.items) - self.barred:
                continue
            codebook, table, completion = self.options(node.path, node.items)
            for code, probability in table.items():
                items = [item for item in node.items if self.codes[item][codebook] == code]
                best = max(completion[item] for item in items if item in completion)
                gain = best if self.config.look_ahead else probability
                log_prob = node.log_prob + math.log(probability)
                score = node.log_prob + math.log(gain)
                found.append(Node(row, (*node.path, (codebook, code)), log_prob, score, probability, items))
        return sorted(found, key=lambda node: -node.score)

    def fill_places(self, pool: list[Node], nodes: list[Node], step: int) -> None:
        """Set attempt, js, fate and belief of everything in the pool."""
        config = self.config
        checked = config.check_from <= step < self.model.n_codebooks
        tried = 0
        places = min(config.beam_width, len(pool))
        for attempt in range(config.max_regenerations + 1):
            empty = places - sum(node.fate == Fate.KEPT for node in pool)
            batch = pool[tried : tried + empty]
            tried += len(batch)
            for node in batch:
                node.attempt, node.fate = attempt, Fate.KEPT
                if step < self.model.n_codebooks:
                    node.belief = self.belief(node.path)
                    node.js = js_by_hand(nodes[node.parent].belief, node.belief)
                if checked and node.js > config.theta_at(step):
                    node.fate = Fate.PRUNED
        pruned = [node for node in pool if node.fate == Fate.PRUNED]
        for node in sorted(pruned, key=lambda node: (node.js, -node.log_prob))[: places - self.kept(pool)]:
            node.fate = Fate.FALLBACK
        del pool[tried + config.beam_width :]

    @staticmethod
    def kept(pool: list[Node]) -> int:
        return sum(node.fate == Fate.KEPT for node in pool)

    def run(self) -> SlowResult:
        root = Node(-1, (), 0.0, 0.0, 1.0, list(range(1, len(self.codes))), fate=Fate.KEPT, belief=self.belief(()))
        nodes, beam = [root], [0]
        for step in range(1, self.model.n_codebooks + 1):
            pool = self.candidates(nodes, beam)
            self.fill_places(pool, nodes, step)
            first = len(nodes)
            nodes += pool
            beam = [first + i for i, node in enumerate(pool) if node.fate in (Fate.KEPT, Fate.FALLBACK)]
        ranked = []
        for row in beam:
            shares = normalise({item: self.first_state(item) for item in nodes[row].items if item not in self.barred})
            ranked += [(nodes[row].log_prob + math.log(share), item, row) for item, share in shares.items()]
        ranked = sorted(ranked, key=lambda entry: (-entry[0], entry[1]))[: self.config.top_k]
        return SlowResult(nodes, [i for _, i, _ in ranked], [s for s, _, _ in ranked], [row for _, _, row in ranked])
