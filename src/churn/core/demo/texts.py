"""What customers of the demo world write, in English and Chinese."""

import numpy as np

TOPICS = ("delivery", "billing", "quality", "app")
COMPLAINTS = (
    (
        ("The parcel came a week late.", "快递晚到了一周。"),
        ("My order arrived damaged and nobody answers.", "收到的货是坏的，没有人回复。"),
    ),
    (
        ("I was charged twice this month.", "这个月被扣了两次款。"),
        ("The invoice does not match what I ordered.", "账单和订单对不上。"),
    ),
    (
        ("The quality is much worse than last year.", "质量比去年差多了。"),
        ("Third broken item in a row, I am tired of this.", "连续第三次收到坏的商品，受够了。"),
    ),
    (
        ("The app crashes whenever I open my account.", "一打开账户页面应用就闪退。"),
        ("I cannot log in since the update.", "更新以后就登录不了。"),
    ),
)
"""Two sentences a topic, each in English and Chinese."""
HAPPY = (("All good, thank you.", "很好，谢谢。"), ("Quick and friendly.", "又快又热情。"))
UNHAPPY = (("I had to call three times.", "打了三次电话才有人管。"), ("Nobody could help me.", "没有人能帮我解决。"))
NOT_AVAILABLE = "NA"
"""What some customers type into the comment field. It is text, not a missing value."""


def complaint(rng: np.random.Generator, topic: np.ndarray, chinese: np.ndarray) -> np.ndarray:
    """One sentence per complaint, on its topic and in the customer's language. Shape of `topic`."""
    return np.array(COMPLAINTS, dtype=object)[topic, rng.integers(0, 2, len(topic)), chinese.astype(int)]


def comment(rng: np.random.Generator, happy: np.ndarray, chinese: np.ndarray) -> np.ndarray:
    """One comment per survey answer; most customers write none, one in a hundred writes `NA`. Shape of `happy`."""
    sentences = np.array((UNHAPPY, HAPPY), dtype=object)
    written = sentences[happy.astype(int), rng.integers(0, 2, len(happy)), chinese.astype(int)]
    mood = rng.random(len(happy))
    return np.where(mood < 0.01, NOT_AVAILABLE, np.where(mood < 0.3, written, None))
