"""The functions of neural networks, with PyTorch's names and arguments; by custom ``F``."""

from distgrad.nn.functional.activation import (
    gelu,
    glu,
    gumbel_softmax,
    log_softmax,
    logsigmoid,
    mish,
    sigmoid,
    silu,
    softmax,
    softmin,
    softplus,
    softsign,
    tanh,
    tanhshrink,
)
from distgrad.nn.functional.adaptive_pool import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
)
from distgrad.nn.functional.attention import scaled_dot_product_attention
from distgrad.nn.functional.avg_pool import avg_pool1d, avg_pool2d, lp_pool1d, lp_pool2d
from distgrad.nn.functional.batch_norm import batch_norm
from distgrad.nn.functional.class_loss import cross_entropy, nll_loss
from distgrad.nn.functional.class_margin_loss import (
    multi_margin_loss,
    multilabel_margin_loss,
    multilabel_soft_margin_loss,
)
from distgrad.nn.functional.conv import conv1d, conv2d
from distgrad.nn.functional.conv_transpose import conv_transpose1d, conv_transpose2d
from distgrad.nn.functional.dropout import (
    alpha_dropout,
    dropout,
    dropout1d,
    dropout2d,
    dropout3d,
    dropout_add,
    feature_alpha_dropout,
)
from distgrad.nn.functional.embedding import embedding, one_hot
from distgrad.nn.functional.embedding_bag import embedding_bag
from distgrad.nn.functional.fold import fold, unfold
from distgrad.nn.functional.group_norm import group_norm, instance_norm
from distgrad.nn.functional.hard_activation import (
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    relu6,
    softshrink,
    threshold,
)
from distgrad.nn.functional.interpolate import (
    interpolate,
    upsample,
    upsample_bilinear,
    upsample_nearest,
)
from distgrad.nn.functional.linear import bilinear, linear, linear_relu
from distgrad.nn.functional.local_response_norm import local_response_norm
from distgrad.nn.functional.loss import (
    gaussian_nll_loss,
    huber_loss,
    l1_loss,
    mse_loss,
    poisson_nll_loss,
    smooth_l1_loss,
)
from distgrad.nn.functional.margin_loss import (
    cosine_embedding_loss,
    hinge_embedding_loss,
    margin_ranking_loss,
    soft_margin_loss,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)
from distgrad.nn.functional.max_pool import (
    max_pool1d,
    max_pool2d,
    max_unpool1d,
    max_unpool2d,
)
from distgrad.nn.functional.multi_head_attention import multi_head_attention_forward
from distgrad.nn.functional.norm import layer_norm, rms_norm
from distgrad.nn.functional.pad import pad
from distgrad.nn.functional.probability_loss import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    kl_div,
)
from distgrad.nn.functional.rectifier import celu, elu, leaky_relu, prelu, relu, rrelu, selu
from distgrad.nn.functional.shuffle import channel_shuffle, pixel_shuffle, pixel_unshuffle
from distgrad.nn.functional.similarity import cosine_similarity, normalize, pairwise_distance

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "alpha_dropout",
    "avg_pool1d",
    "avg_pool2d",
    "batch_norm",
    "bilinear",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "celu",
    "channel_shuffle",
    "conv1d",
    "conv2d",
    "conv_transpose1d",
    "conv_transpose2d",
    "cosine_embedding_loss",
    "cosine_similarity",
    "cross_entropy",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "dropout_add",
    "elu",
    "embedding",
    "embedding_bag",
    "feature_alpha_dropout",
    "fold",
    "gaussian_nll_loss",
    "gelu",
    "glu",
    "group_norm",
    "gumbel_softmax",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hinge_embedding_loss",
    "huber_loss",
    "instance_norm",
    "interpolate",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "linear_relu",
    "local_response_norm",
    "log_softmax",
    "logsigmoid",
    "lp_pool1d",
    "lp_pool2d",
    "margin_ranking_loss",
    "max_pool1d",
    "max_pool2d",
    "max_unpool1d",
    "max_unpool2d",
    "mish",
    "mse_loss",
    "multi_head_attention_forward",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "nll_loss",
    "normalize",
    "one_hot",
    "pad",
    "pairwise_distance",
    "pixel_shuffle",
    "pixel_unshuffle",
    "poisson_nll_loss",
    "prelu",
    "relu",
    "relu6",
    "rms_norm",
    "rrelu",
    "scaled_dot_product_attention",
    "selu",
    "sigmoid",
    "silu",
    "smooth_l1_loss",
    "soft_margin_loss",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
    "unfold",
    "upsample",
    "upsample_bilinear",
    "upsample_nearest",
]
