from seqclass.messages import listed


def test_names_are_quoted_and_cut():
    assert listed(["neg", "pos"]) == "'neg', 'pos'"
    assert listed([]) == ""
    assert listed(["a\nb", "x" * 100]) == "'a\\nb', '" + "x" * 59


def test_long_lists_are_counted():
    names = [str(number) for number in range(1020)]
    assert listed(names).endswith(", '19' and 1,000 more")
    assert listed(names[:20]).endswith(", '19'")
    assert listed(names, most=1) == "'0' and 1,019 more"
