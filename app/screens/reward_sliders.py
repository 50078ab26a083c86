"""The reward weights that are looked at, with all that moves them."""

from streamlit.delta_generator import DeltaGenerator

from app.components import reward_weights as sliders
from app.session import reward_weights
from app.view_models import rewards as view
from reg4rec_core import InputError, RewardWeights


def chosen_weights(own: RewardWeights, presets: DeltaGenerator, several: DeltaGenerator) -> RewardWeights:
    """The weights with all that moves them; where they make no sense, the sliders stay there to mend it."""

    def set_to(wanted: RewardWeights) -> None:
        now, locked = reward_weights.slider_values(), reward_weights.locked_terms()
        reward_weights.choose(view.with_locks(wanted, now, locked))

    wrong, weights = None, own
    try:
        weights = reward_weights.chosen_weights(own)
    except InputError as error:
        wrong = error
    with presets:
        preset = None if wrong else view.preset_of(weights)
        sliders.preset_pills(preset, on_choose=lambda name: set_to(view.PRESETS[name]))
    with several:
        sliders.several_buttons(on_normalise=reward_weights.normalise, on_reset=lambda: set_to(own))
    now, locked = reward_weights.slider_values(), reward_weights.locked_terms()
    sliders.weight_mixer(now, locked, on_mix=reward_weights.mixed)
    if wrong:
        raise wrong
    return weights
