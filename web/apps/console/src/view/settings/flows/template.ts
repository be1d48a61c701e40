/** What a new flow begins as: small, complete, and every word of it is there to be changed. */
export function firstFlow(name: string): string {
  return `name: ${name}
start:
  when: { greeting: true }
steps:
  menu:
    ask:
      text:
        en: Hello! What is it about?
        zh-CN: 您好！请问您想咨询什么？
      choices:
        - { id: question, label: { en: I have a question, zh-CN: 我有一个问题 }, goto: question }
        - { id: person, label: { en: Talk to a person, zh-CN: 转人工 }, goto: person }
  question:
    say:
      en: Go ahead, what would you like to know?
      zh-CN: 请说，您想了解什么？
    goto: done
  person:
    handover:
      say:
        en: I will get somebody for you.
        zh-CN: 我这就为您转接人工。
  done:
    end: true
`;
}
