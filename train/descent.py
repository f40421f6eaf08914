# SPDX-License-Identifier: Apache-2.0
"""The descent itself: the steps of `model.fit`, run inside one TensorFlow graph and recorded.

`model.fit` returns to Python after each epoch, which costs a thousand times the arithmetic of one neuron. Here the
loop over the steps is part of the graph. Loss, gradient and update are the ones that the model was compiled with, so
the weights come out as `model.fit` (batch_size=len(x), shuffle=False) leaves them, bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tinyproof.train.backend import load
from tinyproof.train.training_data import Data

CHUNKS = 25  # calls into the graph per training: often enough for live progress, too seldom to cost time


@dataclass(frozen=True)
class DescentStep:
    """State before update number `step` (0 is the guess): parameters, loss (MSE), its root and its gradient.

    The last step of a training is the final state, whose gradient was not applied any more.
    """

    step: int
    w: float
    b: float
    loss: float
    rmse: float
    grad_w: float
    grad_b: float

    def is_finite(self) -> bool:
        """False once the descent has left the range of floats."""
        return all(map(math.isfinite, (self.w, self.b, self.loss, self.grad_w, self.grad_b)))


def build_neuron(w: float, b: float, learning_rate: float) -> Any:
    """A compiled Keras model of shape (n, 1) -> (n, 1) that starts from the guess y = wx + b."""
    _, keras = load()
    # Named, because Keras would number them otherwise and a second model in one process would differ in its bytes.
    model = keras.Sequential([keras.Input((1,), name="x"), keras.layers.Dense(1, name="y")], name="neuron")
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate, name="sgd"),
        loss="mse",
        metrics=[keras.metrics.RootMeanSquaredError(name="rmse")],
        jit_compile=False,
    )
    layer = model.layers[0]
    layer.kernel.assign([[w]])
    layer.bias.assign([b])
    return model


class Descent:
    """Full-batch gradient descent of a compiled model, a chunk of steps per call.

    `x` and `y` have the shapes (n, inputs) and (n, outputs). `watched` says which scalars to record per step, given
    the loss, the variables and their gradients.
    """

    def __init__(
        self, model: Any, x: Any, y: Any, watched: Callable[[Any, Sequence[Any], Sequence[Any]], list[Any]]
    ) -> None:
        tensorflow, _ = load()
        variables = model.trainable_variables
        values = [variable.value for variable in variables]
        x, y = (tensorflow.constant(array, tensorflow.float32) for array in (x, y))
        model.optimizer.build(variables)

        def measure() -> tuple[Any, Any]:
            with tensorflow.GradientTape() as tape:
                loss = model.compute_loss(x=x, y=y, y_pred=model(x, training=True), training=True)
            gradients = tape.gradient(loss, values)
            scalars = [tensorflow.reshape(scalar, ()) for scalar in watched(loss, values, gradients)]
            return tensorflow.stack(scalars), gradients

        def advance(index: Any, trace: Any) -> tuple[Any, Any]:
            row, gradients = measure()
            trace = trace.write(index, row)
            model.optimizer.apply(gradients, variables)
            return index + 1, trace

        def advance_all(count: Any) -> Any:
            trace = tensorflow.TensorArray(tensorflow.float32, size=count)
            return tensorflow.while_loop(lambda index, _: index < count, advance, (0, trace))[1].stack()

        self._advance = tensorflow.function(
            advance_all, input_signature=[tensorflow.TensorSpec((), tensorflow.int32)], autograph=False
        )
        self._measure = tensorflow.function(lambda: measure()[0], autograph=False)

    def advance(self, count: int) -> list[list[float]]:
        """Take `count` steps; returns a row of watched scalars per step, each from before its update."""
        rows: list[list[float]] = self._advance(count).numpy().tolist()
        return rows

    def measure(self) -> list[float]:
        """The watched scalars of the present state, without an update."""
        row: list[float] = self._measure().numpy().tolist()
        return row


def neuron_descent(model: Any, data: Data) -> Descent:
    """The descent of a `build_neuron` model over all points at once, recording loss, w, b and the gradient."""
    return Descent(
        model,
        [[x] for x in data.x],
        [[y] for y in data.y],
        lambda loss, values, gradients: [loss, *values, *gradients],
    )


def descend(descent: Descent, steps: int) -> Iterator[list[DescentStep]]:
    """Run `steps` updates, yielding the states of one chunk at a time, and last the final state alone."""
    chunk = max(1, math.ceil(steps / CHUNKS))
    for first in range(0, steps, chunk):
        rows = descent.advance(min(chunk, steps - first))
        yield [_step(first + index, row) for index, row in enumerate(rows)]
    yield [_step(steps, descent.measure())]


def _step(step: int, row: Sequence[float]) -> DescentStep:
    loss, w, b, grad_w, grad_b = row
    return DescentStep(step, w, b, loss, math.sqrt(loss), grad_w, grad_b)


def largest_stable_learning_rate(x: Sequence[float]) -> float:
    """2 / lambda_max, beyond which gradient descent on the quadratic loss moves away from the minimum.

    The Hessian of mean((wx + b - y)^2) in (w, b) is 2 [[mean(x^2), mean(x)], [mean(x), 1]]; lambda_max is its larger
    eigenvalue. Source: Y. LeCun et al., Efficient BackProp (1998), section 5.
    """
    mean = math.fsum(x) / len(x)
    mean_square = math.fsum(value * value for value in x) / len(x)
    lambda_max = mean_square + 1 + math.hypot(mean_square - 1, 2 * mean)
    return 2 / lambda_max
