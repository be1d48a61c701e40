// What is said in the pictures, in both languages.

export const WORDS = {
  en: {
    visitor: { name: "Ruth Hansen", email: "ruth.hansen@post.example", note: "Writes from Hamburg, has bought cups before." },
    opening: "Hello! I would like to give a tea set as a present. Does the celadon gaiwan come in a box?",
    answers: ["Good afternoon! Yes, it comes in a padded wooden box with a cloth.", "Here is how it looks:"],
    thanks: "That is lovely. How long does it take to Hamburg?",
    note: "She bought four cups in May, offer the returning customer's discount.",
    ask: " may I add the engraving for free?",
    last: "About six days. I can put a card with it, what shall it say?",
    typing: "Please write: for many quiet mornin",
    praise: "Quick and kind, thank you.",
    question: "Hello, are you there?",
    unsent: ["I will look it up at once.", "One moment, please."],
    handOver: "Wants the box engraved; the workshop knows the price.",
    key: "Order system",
    account: { site: "https://spruce-tea.example", name: "Spruce Tea", person: "Anna Lind", email: "anna@spruce-tea.example", colleague: "noor@spruce-tea.example" },
  },
  "zh-CN": {
    visitor: { name: "沈若云", email: "shen.ruoyun@post.example", phone: "138 0000 2317", note: "杭州老客户，买过小杯。" },
    opening: "您好！我想买一套茶具送人，请问青瓷盖碗有礼盒包装吗？",
    answers: ["下午好！有的，是带软垫的木盒，还配一块茶巾。", "礼盒是这样的："],
    thanks: "很好看。寄到杭州要多久？",
    note: "五月买过四只小杯，可以给老客户折扣。",
    ask: " 可以免费刻字吗？",
    last: "大约两天。可以附一张贺卡，您想写什么？",
    typing: "请写：愿您每个清晨都",
    praise: "回复很快，很耐心，谢谢。",
    question: "您好，请问有人在吗？",
    unsent: ["我马上帮您查。", "请稍等。"],
    handOver: "客人想在木盒上刻字，价格请问工坊。",
    key: "订单系统",
    account: { site: "https://yunshan-tea.example", name: "云杉茶器", person: "林安", email: "anna@yunshan-tea.example", colleague: "xiaoyu@yunshan-tea.example" },
  },
};

export const LOCALES = Object.keys(WORDS);
