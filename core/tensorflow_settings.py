# SPDX-License-Identifier: Apache-2.0
"""What TensorFlow and Keras read from the environment when they are imported: the same for all that import them.

Whoever comes first in a process decides; were training and conversion to differ, the bytes of a trained model would
depend on what the process had done before.
"""

from __future__ import annotations

import importlib.util
import os

from tinyproof.core.errors import EnvironmentFaultError

TENSORFLOW = ("tensorflow", "keras")  # modules of the extra `train`
ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "3",  # no banner about CPU features and absent GPUs
    "TF_ENABLE_ONEDNN_OPTS": "0",  # oneDNN may sum in another order from run to run
    "CUDA_VISIBLE_DEVICES": "-1",  # a model this small is slower on a GPU, and differs in its last bits
    "KERAS_BACKEND": "tensorflow",  # the next stage converts with TensorFlow
}


def settle_tensorflow() -> None:
    """Call it before each `import tensorflow` or `import keras`."""
    os.environ.update(ENVIRONMENT)


def require_tensorflow(purpose: str) -> None:
    """Raises EnvironmentFaultError, beginning with `purpose`, where TensorFlow or Keras is not installed."""
    missing = [name for name in TENSORFLOW if importlib.util.find_spec(name) is None]
    if missing:
        raise EnvironmentFaultError(
            f"{purpose} needs TensorFlow, and {' and '.join(missing)} {'are' if len(missing) > 1 else 'is'} not "
            'installed: pip install "tinyproof[train]" (pipx: pipx inject tinyproof "tinyproof[train]"); an integer '
            ".tflite needs none"
        )
