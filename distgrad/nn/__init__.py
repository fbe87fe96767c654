"""Neural networks: modules, layers, losses, initial values, gradient clipping."""

from distgrad.nn import functional, init, utils
from distgrad.nn.activation import (
    GELU,
    GLU,
    LogSigmoid,
    Mish,
    Sigmoid,
    SiLU,
    Softplus,
    Softsign,
    Tanh,
    Tanhshrink,
)
from distgrad.nn.adaptive_pooling import (
    AdaptiveAvgPool1d,
    AdaptiveAvgPool2d,
    AdaptiveMaxPool1d,
    AdaptiveMaxPool2d,
)
from distgrad.nn.attention import CausalSelfAttention, MultiheadAttention
from distgrad.nn.batch_norm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from distgrad.nn.class_loss import CrossEntropyLoss, NLLLoss
from distgrad.nn.class_margin_loss import (
    MultiLabelMarginLoss,
    MultiLabelSoftMarginLoss,
    MultiMarginLoss,
)
from distgrad.nn.container import ModuleList, Sequential
from distgrad.nn.conv import Conv1d, Conv2d
from distgrad.nn.conv_transpose import ConvTranspose1d, ConvTranspose2d
from distgrad.nn.distance import CosineSimilarity, PairwiseDistance
from distgrad.nn.dropout import (
    AlphaDropout,
    Dropout,
    Dropout1d,
    Dropout2d,
    Dropout3d,
    DropoutAdd,
    FeatureAlphaDropout,
)
from distgrad.nn.folding import Fold, Unfold
from distgrad.nn.hard_activation import (
    Hardshrink,
    Hardsigmoid,
    Hardswish,
    Hardtanh,
    ReLU6,
    Softshrink,
    Threshold,
)
from distgrad.nn.instance_norm import InstanceNorm1d, InstanceNorm2d, InstanceNorm3d
from distgrad.nn.linear import Bilinear, Linear, LinearReLU
from distgrad.nn.loss import (
    GaussianNLLLoss,
    HuberLoss,
    L1Loss,
    MSELoss,
    PoissonNLLLoss,
    SmoothL1Loss,
)
from distgrad.nn.margin_loss import (
    CosineEmbeddingLoss,
    HingeEmbeddingLoss,
    MarginRankingLoss,
    SoftMarginLoss,
    TripletMarginLoss,
    TripletMarginWithDistanceLoss,
)
from distgrad.nn.max_pooling import MaxPool1d, MaxPool2d, MaxUnpool1d, MaxUnpool2d
from distgrad.nn.module import Module
from distgrad.nn.module_dict import ModuleDict
from distgrad.nn.normalization import GroupNorm, LayerNorm, LocalResponseNorm, RMSNorm
from distgrad.nn.padding import (
    CircularPad1d,
    CircularPad2d,
    ConstantPad1d,
    ConstantPad2d,
    ReflectionPad1d,
    ReflectionPad2d,
    ReplicationPad1d,
    ReplicationPad2d,
    ZeroPad1d,
    ZeroPad2d,
)
from distgrad.nn.parameter import Buffer, Parameter
from distgrad.nn.parameter_container import ParameterDict, ParameterList
from distgrad.nn.pooling import AvgPool1d, AvgPool2d, LPPool1d, LPPool2d
from distgrad.nn.probability_loss import BCELoss, BCEWithLogitsLoss, KLDivLoss
from distgrad.nn.rectifier import CELU, ELU, SELU, LeakyReLU, PReLU, ReLU, RReLU
from distgrad.nn.recurrent import GRU, LSTM, RNN
from distgrad.nn.recurrent_base import RNNBase
from distgrad.nn.recurrent_cell import GRUCell, LSTMCell, RNNCell, RNNCellBase
from distgrad.nn.resampling import (
    ChannelShuffle,
    PixelShuffle,
    PixelUnshuffle,
    Upsample,
    UpsamplingBilinear2d,
    UpsamplingNearest2d,
)
from distgrad.nn.shape import Flatten, Identity, Unflatten
from distgrad.nn.softmax import LogSoftmax, Softmax, Softmax2d, Softmin
from distgrad.nn.sparse import Embedding, EmbeddingBag
from distgrad.nn.statistics import RunningStatistics
from distgrad.nn.summaries import LayerSummary, ModelSummary, summary
from distgrad.nn.transformer import Transformer
from distgrad.nn.transformer_layer import TransformerDecoderLayer, TransformerEncoderLayer
from distgrad.nn.transformer_stack import TransformerDecoder, TransformerEncoder
from distgrad.nn.weights import load_weights, save_weights

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "GRU",
    "LSTM",
    "RNN",
    "SELU",
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AlphaDropout",
    "AvgPool1d",
    "AvgPool2d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "Bilinear",
    "Buffer",
    "CausalSelfAttention",
    "ChannelShuffle",
    "CircularPad1d",
    "CircularPad2d",
    "ConstantPad1d",
    "ConstantPad2d",
    "Conv1d",
    "Conv2d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "CosineEmbeddingLoss",
    "CosineSimilarity",
    "CrossEntropyLoss",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "DropoutAdd",
    "Embedding",
    "EmbeddingBag",
    "FeatureAlphaDropout",
    "Flatten",
    "Fold",
    "GRUCell",
    "GaussianNLLLoss",
    "GroupNorm",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "HingeEmbeddingLoss",
    "HuberLoss",
    "Identity",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "KLDivLoss",
    "L1Loss",
    "LPPool1d",
    "LPPool2d",
    "LSTMCell",
    "LayerNorm",
    "LayerSummary",
    "LeakyReLU",
    "Linear",
    "LinearReLU",
    "LocalResponseNorm",
    "LogSigmoid",
    "LogSoftmax",
    "MSELoss",
    "MarginRankingLoss",
    "MaxPool1d",
    "MaxPool2d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "Mish",
    "ModelSummary",
    "Module",
    "ModuleDict",
    "ModuleList",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "MultiheadAttention",
    "NLLLoss",
    "PReLU",
    "PairwiseDistance",
    "Parameter",
    "ParameterDict",
    "ParameterList",
    "PixelShuffle",
    "PixelUnshuffle",
    "PoissonNLLLoss",
    "RMSNorm",
    "RNNBase",
    "RNNCell",
    "RNNCellBase",
    "RReLU",
    "ReLU",
    "ReLU6",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "RunningStatistics",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SmoothL1Loss",
    "SoftMarginLoss",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
    "Transformer",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
    "Unflatten",
    "Unfold",
    "Upsample",
    "UpsamplingBilinear2d",
    "UpsamplingNearest2d",
    "ZeroPad1d",
    "ZeroPad2d",
    "functional",
    "init",
    "load_weights",
    "save_weights",
    "summary",
    "utils",
]
