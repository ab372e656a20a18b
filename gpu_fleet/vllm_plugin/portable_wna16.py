"""4-bit weights on processors without AVX-512.

vLLM's CPU build has its 4-bit kernel compiled for AVX-512 only: elsewhere an engine loads the
model, reports itself healthy and dies at the first token. Where the kernel is missing, this plugin
multiplies with the same 4-bit values, unpacked once when the model is loaded. The numbers are the
quantized model's own; what is lost is the memory saved, which a tiny model doesn't need.

vLLM finds it by the entry point in the `.dist-info` folder beside this file, when this folder is
on PYTHONPATH.
"""

import logging
from typing import Any

logger = logging.getLogger("vllm.portable_wna16")


def register() -> None:
    """Replace vLLM's kernel where its processor can't run it."""
    import torch
    from vllm.platforms import current_platform

    if not current_platform.is_cpu():
        return
    import vllm._custom_ops  # noqa: F401  (loads the compiled operators)

    if hasattr(torch.ops._C, "cpu_gemm_wna16"):
        return
    from vllm.model_executor.kernels.linear.mixed_precision.cpu import CPUWNA16LinearKernel

    CPUWNA16LinearKernel.process_weights_after_loading = unpack_weights
    CPUWNA16LinearKernel.apply_weights = multiply
    logger.warning("no 4-bit kernel for this processor: weights are unpacked when loaded")


def unpack_weights(kernel: Any, layer: Any) -> None:  # noqa: ANN401
    """(output, input/8) packed 4-bit weights and (output, groups) scales to (output, input)."""
    import torch
    from vllm.model_executor.layers.quantization.utils.quant_utils import (
        unpack_quantized_values_into_int32,
    )

    packed, scales, zero_points = kernel._get_weight_params(layer)
    kind = kernel.config.weight_type
    values = unpack_quantized_values_into_int32(packed.data, kind, packed.packed_dim)
    if packed.input_dim == 0:
        values = values.t()
    scale = scales.data if scales.output_dim == 0 else scales.data.t()
    if kernel.config.zero_points:
        zero = unpack_quantized_values_into_int32(zero_points.data, kind, zero_points.packed_dim)
        offset = zero if zero_points.output_dim == 0 else zero.t()
    else:
        offset = torch.full_like(scale, kind.bias, dtype=torch.int32)
    group = values.shape[1] // scale.shape[1]
    weight = (values - offset.repeat_interleave(group, dim=1)).to(scale.dtype)
    weight *= scale.repeat_interleave(group, dim=1)
    layer.unpacked_weight = torch.nn.Parameter(weight.contiguous(), requires_grad=False)


def multiply(kernel: Any, layer: Any, x: Any, bias: Any = None) -> Any:  # noqa: ANN401
    import torch

    del kernel
    return torch.nn.functional.linear(x, layer.unpacked_weight.to(x.dtype), bias)
