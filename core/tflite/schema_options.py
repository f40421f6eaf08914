# SPDX-License-Identifier: Apache-2.0
"""The options of every operator in the TFLite schema, version 3: a new operator finds its own here already.

A line is the number and the name of a BuiltinOptions table and its fields in the order of their numbers: name:type, the
type as in the struct module, `s` for a string, `*` for what is not read (vectors), then the default unless it is 0.
`-` is a field that the schema has withdrawn. A test compares all of this with the schema that the pinned wheel ships.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import NamedTuple

_TABLE = """
    1 Conv2D padding:b stride_w:i stride_h:i fused_activation_function:b dilation_w_factor:i=1 dilation_h_factor:i=1
          quantized_bias_type:b
    2 DepthwiseConv2D padding:b stride_w:i stride_h:i depth_multiplier:i fused_activation_function:b
          dilation_w_factor:i=1 dilation_h_factor:i=1
    3 ConcatEmbeddings num_channels:i num_columns_per_channel:* embedding_dim_per_channel:*
    4 LSHProjection type:b
    5 Pool2D padding:b stride_w:i stride_h:i filter_width:i filter_height:i fused_activation_function:b
    6 SVDF rank:i fused_activation_function:b asymmetric_quantize_inputs:?
    7 RNN fused_activation_function:b asymmetric_quantize_inputs:?
    8 FullyConnected fused_activation_function:b weights_format:b keep_num_dims:? asymmetric_quantize_inputs:?
          quantized_bias_type:b quant_spec:*
    9 Softmax beta:f
    10 Concatenation axis:i fused_activation_function:b
    11 Add fused_activation_function:b pot_scale_int16:?=1
    12 L2Norm fused_activation_function:b
    13 LocalResponseNormalization radius:i bias:f alpha:f beta:f
    14 LSTM fused_activation_function:b cell_clip:f proj_clip:f kernel_type:b asymmetric_quantize_inputs:?
    15 ResizeBilinear - - align_corners:? half_pixel_centers:?
    16 Call subgraph:I
    17 Reshape new_shape:*
    18 SkipGram ngram_size:i max_skip_size:i include_all_ngrams:?
    19 SpaceToDepth block_size:i
    20 EmbeddingLookupSparse combiner:b
    21 Mul fused_activation_function:b
    23 Gather axis:i batch_dims:i
    27 Reducer keep_dims:?
    28 Sub fused_activation_function:b pot_scale_int16:?=1
    29 Div fused_activation_function:b
    30 Squeeze squeeze_dims:*
    31 SequenceRNN time_major:? fused_activation_function:b asymmetric_quantize_inputs:?
    32 StridedSlice begin_mask:i end_mask:i ellipsis_mask:i new_axis_mask:i shrink_axis_mask:i offset:?
    35 Split num_splits:i
    37 Cast in_data_type:b out_data_type:b
    40 ArgMax output_type:b
    49 TransposeConv padding:b stride_w:i stride_h:i fused_activation_function:b quantized_bias_type:b
    50 SparseToDense validate_indices:?
    55 Shape out_type:b
    57 ArgMin output_type:b
    58 FakeQuant min:f max:f num_bits:i narrow_range:?
    59 Pack values_count:i axis:i
    61 OneHot axis:i
    64 Unpack num:i axis:i
    69 BidirectionalSequenceLSTM fused_activation_function:b cell_clip:f proj_clip:f merge_outputs:? time_major:?=1
          asymmetric_quantize_inputs:?
    70 BidirectionalSequenceRNN time_major:? fused_activation_function:b merge_outputs:? asymmetric_quantize_inputs:?
    71 UnidirectionalSequenceLSTM fused_activation_function:b cell_clip:f proj_clip:f time_major:?
          asymmetric_quantize_inputs:? diagonal_recurrent_tensors:?
    74 ResizeNearestNeighbor align_corners:? half_pixel_centers:?
    75 LeakyRelu alpha:f
    77 MirrorPad mode:b
    79 SplitV num_splits:i
    80 Unique idx_out_type:b=2
    87 ReverseSequence seq_dim:i batch_dim:i
    92 If then_subgraph_index:i else_subgraph_index:i
    93 While cond_subgraph_index:i body_subgraph_index:i
    94 DepthToSpace block_size:i
    101 BatchMatMul adj_x:? adj_y:? asymmetric_quantize_inputs:?
    102 Cumsum exclusive:? reverse:?
    103 CallOnce init_subgraph_index:i
    106 Conv3D padding:b stride_d:i stride_w:i stride_h:i fused_activation_function:b dilation_d_factor:i=1
          dilation_w_factor:i=1 dilation_h_factor:i=1
    107 Hashtable table_id:i key_dtype:b value_dtype:b
    111 VarHandle container:s shared_name:s
    114 Random seed:q seed2:q
    115 Bucketize boundaries:*
    116 Gelu approximate:?
"""


# Operators whose table has another name than they have themselves.
_SHARED = {
    "Conv3D": ("CONV_3D", "CONV_3D_TRANSPOSE"),
    "L2Norm": ("L2_NORMALIZATION",),
    "Pool2D": ("AVERAGE_POOL_2D", "L2_POOL_2D", "MAX_POOL_2D"),
    "Random": ("MULTINOMIAL", "RANDOM_STANDARD_NORMAL", "RANDOM_UNIFORM"),
    "Reducer": ("MEAN", "REDUCE_ALL", "REDUCE_ANY", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD", "SUM"),
    "SequenceRNN": ("UNIDIRECTIONAL_SEQUENCE_RNN",),
}


class Field(NamedTuple):
    """`number` in the table, `kind` as in the struct module or "s", `default` where the file leaves it out."""

    number: int
    kind: str
    default: int


@cache
def options_of(number: int) -> dict[str, Field]:
    """The fields of BuiltinOptions `number` by name; empty for one that has none that is read."""
    return _tables().get(number, {})


def options_number(operator: str) -> int | None:
    """The number of the operator's own table in BuiltinOptions; None where no field of it is read."""
    return _numbers().get(operator.replace("_", "").lower())


@cache
def _numbers() -> dict[str, int]:
    """Operators as one word in lower case."""
    words = _TABLE.split()
    named = {name: int(number) for number, name in pairwise(words) if number.isdigit()}
    owners = {name: _SHARED.get(name, (name,)) for name in named}
    return {owner.replace("_", "").lower(): named[name] for name in named for owner in owners[name]}


@cache
def _tables() -> dict[int, dict[str, Field]]:
    tables: dict[int, dict[str, Field]] = {}
    words = _TABLE.split()
    for place, word in enumerate(words):
        if word.isdigit():
            fields = tables[int(word)] = {}
            position = 0
        elif not words[place - 1].isdigit():  # else the table's name
            name, _, kind = word.partition(":")
            kind, _, default = kind.partition("=")
            if kind not in ("", "*"):
                fields[name] = Field(position, kind, int(default or 0))
            position += 1
    return tables
