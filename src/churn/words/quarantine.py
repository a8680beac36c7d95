"""Quarantine: what the codes of its reasons mean, in a few words for a table, in two languages.

docs/data_contract.md says each rule in full; the table quarantine keeps the codes, by which rows are found.
"""

Words = dict[str, str]

LEFT_OUT = "left_out_"
"""Prefix of the reasons that `leave_out` declares, which the limits of quarantine do not count."""

_TIMES: dict[str, Words] = {
    "occurred_at": {"en": "time", "zh": "发生时间"},
    "recorded_at": {"en": "time of recording", "zh": "记录时间"},
    "valid_from": {"en": "start", "zh": "生效时间"},
    "valid_until": {"en": "end", "zh": "失效时间"},
}
_NUMBERS: dict[str, Words] = {
    "amount": {"en": "amount", "zh": "金额"},
    "discount": {"en": "discount", "zh": "折扣"},
    "quantity": {"en": "quantity", "zh": "数量"},
}
_IDS: dict[str, Words] = {
    "customer_id": {"en": "customer id", "zh": "客户编号"},
    "event_id": {"en": "event id", "zh": "事件编号"},
    "merge_by": {"en": "id to merge by", "zh": "合并编号"},
}
_BLANK: dict[str, Words] = {"blank": {"en": "no {field}", "zh": "缺少{field}"}}
_OF_TIMES = _BLANK | {
    "unreadable": {"en": "{field} not written as declared", "zh": "{field}的写法与声明不符"},
    "out_of_range": {"en": "{field} before 1971 or after 2100", "zh": "{field}早于 1971 年或晚于 2100 年"},
    "in_future": {"en": "{field} more than five years ahead", "zh": "{field}在五年之后"},
}
_OF_NUMBERS: dict[str, Words] = {
    "unreadable": {"en": "{field} not written as declared", "zh": "{field}的写法与声明不符"},
    "not_finite": {"en": "{field} not a finite number, or too large", "zh": "{field}不是有限数值，或过大"},
    "out_of_range": {"en": "{field} too large", "zh": "{field}过大"},
    "negative": {"en": "{field} below zero", "zh": "{field}为负"},
}
_ALONE: dict[str, Words] = {
    "customer_id_control_character": {"en": "customer id with an invisible character", "zh": "客户编号含不可见字符"},
    "customer_id_formula": {"en": "customer id that a spreadsheet would run", "zh": "客户编号会被表格软件当作公式"},
    "customer_id_not_whole": {"en": "customer id not a whole number", "zh": "客户编号不是整数"},
    "recorded_before_occurred": {"en": "recorded before it happened", "zh": "记录时间早于发生时间"},
    "valid_until_before_valid_from": {"en": "end before the start", "zh": "失效时间早于生效时间"},
    "event_type_unknown": {"en": "event type not declared", "zh": "事件类型未声明"},
    "too_few_columns": {"en": "too few columns", "zh": "列数过少"},
    "too_many_columns": {"en": "too many columns", "zh": "列数过多"},
    "quote_not_closed": {"en": "quotation mark not closed", "zh": "引号未闭合"},
    "not_utf8": {"en": "another encoding", "zh": "编码不符"},
    "line_too_long": {"en": "line longer than 1 MB", "zh": "行长超过 1 MB"},
    "line_unreadable": {"en": "line not readable", "zh": "无法读取的行"},
    "no_json_object": {"en": "line that is no JSON object", "zh": "不是 JSON 对象的行"},
}
_DECLARED: Words = {"en": "left out as declared: {name}", "zh": "按声明排除：{name}"}


def _of_fields(fields: dict[str, Words], flaws: dict[str, Words]) -> dict[str, Words]:
    """Every flaw that every field may have: code → words."""
    return {
        f"{field}_{flaw}": {language: text.format(field=called[language]) for language, text in words.items()}
        for field, called in fields.items()
        for flaw, words in flaws.items()
    }


RULES: dict[str, Words] = {
    **_of_fields(_IDS, _BLANK),
    **_of_fields(_TIMES, _OF_TIMES),
    **_of_fields(_NUMBERS, _OF_NUMBERS),
    **_ALONE,
}
"""Code → language → what is wrong with the row."""


def in_words(code: str) -> Words:
    """Language → what a code of quarantine means; a code that is none of ours stands for itself.

    >>> in_words("amount_negative")["en"], in_words("left_out_test_accounts")["en"]
    ('amount below zero', 'left out as declared: test accounts')
    """
    if code.startswith(LEFT_OUT):
        name = code.removeprefix(LEFT_OUT).replace("_", " ")
        return {language: text.format(name=name) for language, text in _DECLARED.items()}
    return RULES.get(code, {"en": code, "zh": code})
