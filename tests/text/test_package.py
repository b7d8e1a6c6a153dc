import subprocess
import sys


def test_the_text_floor_needs_neither_torch_nor_lightning():
    code = "import sys, seqclass.text; print(sorted({'torch', 'lightning'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
