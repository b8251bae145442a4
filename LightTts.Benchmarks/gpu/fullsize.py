"""Writes a CosyVoice3-0.5B-shaped model directory with random weights, for timing, memory and parity.

    fullsize.py TINY MANIFEST OUT

TINY      the embedded voice's directory, for the small files
MANIFEST  JSON: file -> tensor -> {shape, dtype} (golden/fullsize/manifest_cosyvoice3.json)
OUT       where to; 4 GB, 20 s where PyTorch has a GPU
"""
import json
import math
import os
import shutil
import sys

import torch

# What the full-size yaml says where the embedded voice's says something smaller.
SIZES = [
    ("llm_input_size: 384", "llm_input_size: 896"),
    ("llm_output_size: 384", "llm_output_size: 896"),
    ("channels: 256\n        pre_lookahead", "channels: 1024\n        pre_lookahead"),
    ("dim: 256", "dim: 1024"),
    ("depth: 7", "depth: 22"),
    ("heads: 4", "heads: 16"),
    ("base_channels: 160", "base_channels: 512"),
    ("cond_channels: 256", "cond_channels: 512"),
]
LANGUAGE = dict(hidden_size=896, intermediate_size=4864, num_hidden_layers=24, max_window_layers=24, num_attention_heads=14,
                num_key_value_heads=2, vocab_size=151936, rope_theta=1000000.0)


def tensor(name, shape, device):
    if name.endswith(".bias"):
        return torch.zeros(shape)
    if "original0" in name or "alpha" in name or len(shape) <= 1:
        return torch.ones(shape)
    return (torch.randn(shape, device=device) / math.sqrt(max(1, math.prod(shape[1:])))).cpu()


def main(tiny, manifest, out):
    with open(manifest) as file:
        files = json.load(file)
    os.makedirs(out, exist_ok=True)
    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    for name in ("campplus.onnx", "speech_tokenizer_v3.onnx"):
        shutil.copy(f"{tiny}/{name}", out)
    for name in ("CosyVoice-BlankEN", "prompts"):
        shutil.copytree(f"{tiny}/{name}", f"{out}/{name}", dirs_exist_ok=True)
    with open(f"{tiny}/cosyvoice3.yaml") as file:
        yaml = file.read()
    for small, full in SIZES:
        if small not in yaml:
            sys.exit(f"fullsize.py: '{tiny}/cosyvoice3.yaml' does not say {small!r}; its sizes have changed, bring SIZES up to date.")
        yaml = yaml.replace(small, full)
    for path, changes in (("CosyVoice-BlankEN/config.json", LANGUAGE), ("lighttts.json", dict(name="fullsize", flow_steps=10))):
        with open(f"{tiny}/{path}") as file:
            content = json.load(file)
        content.update(changes)
        with open(f"{out}/{path}", "w") as file:
            json.dump(content, file)
    for name in ("llm.pt", "flow.pt", "hift.pt"):
        state = {key: tensor(key, entry["shape"], device).to(getattr(torch, entry["dtype"])) for key, entry in files[name].items()}
        if name == "llm.pt":
            # The ids that end generation are drawn seldom: utterances of a natural length, whatever the random weights say.
            for key, value in state.items():
                if "llm_decoder" in key and value.dim() == 2:
                    value[6561:] *= 0.3
        torch.save(state, f"{out}/{name}")
        print(name, len(state), "tensors,", round(sum(value.numel() for value in state.values()) / 1e6), "M numbers")
    # The last file: a directory that has it is complete.
    with open(f"{out}/cosyvoice3.yaml", "w") as file:
        file.write(yaml)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
