import json

from seqclass.evaluation.json_file import write_json


def test_is_read_back_and_lists_of_numbers_are_one_line(tmp_path):
    values = {
        "matrix": [[1, 20], [0, -3]],
        "interval": [0.5, 1e-07, None],
        "names": ["[\n 1,\n 2\n]", "é"],
        "empty": [],
        "classes": {"neg": {"f1": 0.5}},
    }
    write_json(tmp_path / "a.json", values)
    content = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(content) == values
    assert "    [1, 20],\n    [0, -3]\n" in content
