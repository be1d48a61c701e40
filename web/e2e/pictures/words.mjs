// What is said in the pictures, in both languages.

export const WORDS = {
  en: {
    opening: "Hello! I would like to give a tea set as a present. Does the celadon gaiwan come in a box?",
    answers: ["Good afternoon! Yes, it comes in a padded wooden box with a cloth.", "Here is how it looks:"],
    thanks: "That is lovely. How long does it take to Hamburg?",
    note: "She bought four cups in May, offer the returning customer's discount.",
    last: "About six days. I can put a card with it, what shall it say?",
    typing: "Please write: for many quiet mornin",
    praise: "Quick and kind, thank you.",
    question: "Hello, are you there?",
    unsent: ["I will look it up at once.", "One moment, please."],
    handOver: "Wants the box engraved; the workshop knows the price.",
    key: "Order system",
    guests: [
      "Do you ship to Norway?",
      "My order arrived with a chipped lid, what can I do?",
      "Is the stoneware teapot fine for green tea?",
      "Can I collect it from the workshop on Saturday?",
    ],
    account: { site: "https://spruce-tea.example", name: "Spruce Tea", person: "Anna Lind", email: "anna@spruce-tea.example" },
  },
  "zh-CN": {
    opening: "您好！我想买一套茶具送人，请问青瓷盖碗有礼盒包装吗？",
    answers: ["下午好！有的，是带软垫的木盒，还配一块茶巾。", "礼盒是这样的："],
    thanks: "很好看。寄到杭州要多久？",
    note: "五月买过四只小杯，可以给老客户折扣。",
    last: "大约两天。可以附一张贺卡，您想写什么？",
    typing: "请写：愿您每个清晨都",
    praise: "回复很快，很耐心，谢谢。",
    question: "您好，请问有人在吗？",
    unsent: ["我马上帮您查。", "请稍等。"],
    handOver: "客人想在木盒上刻字，价格请问工坊。",
    key: "订单系统",
    guests: ["请问盖碗可以放洗碗机吗？", "订单显示已签收，但是我还没有收到货", "能开发票吗？抬头需要写公司名", "紫砂壶和粗陶壶哪个更适合泡绿茶？"],
    account: { site: "https://yunshan-tea.example", name: "云杉茶器", person: "林安", email: "anna@yunshan-tea.example" },
  },
};

export const LOCALES = Object.keys(WORDS);

export const REPLIES = [
  { shortcut: "hello", texts: { en: "Hello {{visitor}}, how can I help?", "zh-CN": "{{visitor}}您好，请问有什么可以帮您？" } },
  { shortcut: "fh", texts: { en: "Your parcel leaves today.", "zh-CN": "您的包裹今天发货。" } },
  { shortcut: "thanks", texts: { en: "Thank you for writing to us.", "zh-CN": "感谢您的来信。" } },
];
