"""Optimizers as the papers write them: one array, one loop, nothing in place."""

import numpy as np


def sgd(
    p, grads, *, lr, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False, maximize=False
):
    velocity = None
    for g in grads:
        g = (-g if maximize else g) + weight_decay * p
        if momentum:
            velocity = g if velocity is None else momentum * velocity + (1 - dampening) * g
            g = g + momentum * velocity if nesterov else velocity
        p = p - lr * g
    return p


def adagrad(
    p,
    grads,
    *,
    lr,
    lr_decay=0.0,
    weight_decay=0.0,
    initial_accumulator_value=0.0,
    eps=1e-10,
    maximize=False,
):
    total = np.full_like(p, initial_accumulator_value)
    for t, g in enumerate(grads):
        g = (-g if maximize else g) + weight_decay * p
        total = total + g**2
        p = p - lr / (1 + t * lr_decay) * g / (np.sqrt(total) + eps)
    return p


def adam(
    p,
    grads,
    *,
    lr,
    betas=(0.9, 0.999),
    eps=1e-8,
    weight_decay=0.0,
    amsgrad=False,
    maximize=False,
    decoupled=False,
):
    m = v = largest = np.zeros_like(p)
    for t, g in enumerate(grads, start=1):
        g = -g if maximize else g
        if decoupled:
            p = p - lr * weight_decay * p
        else:
            g = g + weight_decay * p
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        largest = np.maximum(largest, v)
        second = (largest if amsgrad else v) / (1 - betas[1] ** t)
        p = p - lr * m / (1 - betas[0] ** t) / (np.sqrt(second) + eps)
    return p


def adadelta(p, grads, *, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0.0, maximize=False):
    v = u = np.zeros_like(p)
    for g in grads:
        g = (-g if maximize else g) + weight_decay * p
        v = rho * v + (1 - rho) * g**2
        step = np.sqrt(u + eps) / np.sqrt(v + eps) * g
        u = rho * u + (1 - rho) * step**2
        p = p - lr * step
    return p


def rmsprop(
    p,
    grads,
    *,
    lr,
    alpha=0.99,
    eps=1e-8,
    weight_decay=0.0,
    momentum=0.0,
    centered=False,
    maximize=False,
):
    v = mean = velocity = np.zeros_like(p)
    for g in grads:
        g = (-g if maximize else g) + weight_decay * p
        v = alpha * v + (1 - alpha) * g**2
        mean = alpha * mean + (1 - alpha) * g
        velocity = momentum * velocity + g / (np.sqrt(v - mean**2 if centered else v) + eps)
        p = p - lr * velocity
    return p


def adamax(p, grads, *, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, maximize=False):
    m = u = np.zeros_like(p)
    for t, g in enumerate(grads, start=1):
        g = (-g if maximize else g) + weight_decay * p
        m = betas[0] * m + (1 - betas[0]) * g
        u = np.maximum(betas[1] * u, abs(g) + eps)
        p = p - lr / (1 - betas[0] ** t) * m / u
    return p


def nadam(
    p,
    grads,
    *,
    lr,
    betas=(0.9, 0.999),
    eps=1e-8,
    weight_decay=0.0,
    momentum_decay=4e-3,
    decoupled_weight_decay=False,
    maximize=False,
):
    def momentum(t):
        return betas[0] * (1 - 0.5 * 0.96 ** (t * momentum_decay))

    m = v = np.zeros_like(p)
    product = 1.0
    for t, g in enumerate(grads, start=1):
        g = -g if maximize else g
        if decoupled_weight_decay:
            p = p - lr * weight_decay * p
        else:
            g = g + weight_decay * p
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        product = product * momentum(t)
        ahead = momentum(t + 1) * m / (1 - product * momentum(t + 1))
        now = (1 - momentum(t)) * g / (1 - product)
        p = p - lr * (ahead + now) / (np.sqrt(v / (1 - betas[1] ** t)) + eps)
    return p


def radam(
    p,
    grads,
    *,
    lr,
    betas=(0.9, 0.999),
    eps=1e-8,
    weight_decay=0.0,
    decoupled_weight_decay=False,
    maximize=False,
):
    m = v = np.zeros_like(p)
    longest = 2 / (1 - betas[1]) - 1
    for t, g in enumerate(grads, start=1):
        g = -g if maximize else g
        if decoupled_weight_decay:
            p = p - lr * weight_decay * p
        else:
            g = g + weight_decay * p
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        step = m / (1 - betas[0] ** t)
        length = longest - 2 * t * betas[1] ** t / (1 - betas[1] ** t)
        if length > 5:
            r = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
            step = step * np.sqrt(r) * np.sqrt(1 - betas[1] ** t) / (np.sqrt(v) + eps)
        p = p - lr * step
    return p


def lion(p, grads, *, lr, betas=(0.9, 0.99), weight_decay=0.0, maximize=False):
    """Chen et al. 2023, algorithm 2."""
    m = np.zeros_like(p)
    for g in grads:
        g = -g if maximize else g
        step = np.sign(betas[0] * m + (1 - betas[0]) * g)
        p = p - lr * (step + weight_decay * p)
        m = betas[1] * m + (1 - betas[1]) * g
    return p


def lars(
    p,
    grads,
    *,
    lr,
    momentum=0.9,
    weight_decay=0.0,
    trust_coefficient=1e-3,
    adapt=True,
    maximize=False,
):
    """You, Gitman, Ginsburg 2017, algorithm 1, with equation 6 for the local learning rate."""
    v = np.zeros_like(p)
    for g in grads:
        g = -g if maximize else g
        of_p, of_g = np.linalg.norm(p), np.linalg.norm(g)
        local = 1.0
        if adapt and of_p > 0 and of_g > 0:
            local = trust_coefficient * of_p / (of_g + weight_decay * of_p)
        v = momentum * v + lr * local * (g + weight_decay * p)
        p = p - v
    return p


def lamb(
    p,
    grads,
    *,
    lr,
    betas=(0.9, 0.999),
    eps=1e-6,
    weight_decay=0.01,
    adapt=True,
    maximize=False,
):
    """You et al. 2020, algorithm 2, with the identity for phi."""
    m = v = np.zeros_like(p)
    for t, g in enumerate(grads, start=1):
        g = -g if maximize else g
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g**2
        r = m / (1 - betas[0] ** t) / (np.sqrt(v / (1 - betas[1] ** t)) + eps) + weight_decay * p
        of_p, of_r = np.linalg.norm(p), np.linalg.norm(r)
        ratio = of_p / of_r if adapt and of_p > 0 and of_r > 0 else 1.0
        p = p - lr * ratio * r
    return p
