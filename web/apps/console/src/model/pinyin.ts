// How Chinese is typed: which characters a person means who writes their readings or only the first
// letters, so that "fh", "fahuo" and "fhuo" find 发货. The browser's own pinyin collation keeps the
// characters in the order of their readings: the first character of each syllable is all there is to
// ship.

const syllables: readonly (readonly [reading: string, first: string])[] = [...(
  "a吖ai哎an安ang肮ao凹ba丷bai挀ban扳bang邦bao勹bei卑ben奔beng伻bi屄bian边biao灬bie憋bin汃bing冫bo癶bu峬ca嚓cai偲can参cang仓cao撡ce冊cen嵾cen" +
  "g曽cha叉chai拆chan辿chang伥chao抄che车chen抻cheng阷chi吃chong充chou抽chu出chua歘chuai揣chuan巛chuang刅chui吹chun旾chuo逴ci呲cong匆co" +
  "u凑cu粗cuan汆cui崔cun邨cuo搓da咑dai呆dan丹dang当dao刀de嘚den扥deng灯di氐dia嗲dian敁diao刁die爹ding丁diu丟dong东dou吺du厾duan耑dui垖dun吨d" +
  "uo多e妸ei诶en奀eng鞥er儿fa发fan帆fang匚fei飞fen分feng丰fo仏fou紑fu夫ga旮gai侅gan甘gang冈gao皋ge戈gei给gen根geng刯gong工gou勾gu估gua瓜guai乖" +
  "guan关guang光gui归gun丨guo呙ha哈hai咍han佄hang夯hao茠he诃hei黒hen拫heng亨hong叿hou齁hu乎hua花huai怀huan欢huang巟hui灰hun昏huo吙ji丌jia加" +
  "jian戋jiang江jiao艽jie阶jin巾jing坕jiong冂jiu丩ju凥juan姢jue噘jun军ka咔kai开kan刊kang忼kao尻ke匼ken肎keng劥kong空kou抠ku扝kua夸kuai蒯ku" +
  "an宽kuang匡kui亏kun坤kuo扩la垃lai来lan兰lang啷lao捞le仂lei雷leng崚li哩lia俩lian奁liang良liao撩lie毟lin拎ling伶liu溜long龙lou瞜lu噜luan娈" +
  "lun抡luo啰ma妈mai埋man嫚mang牤mao猫me嚒mei坆men椚meng擝mi咪mian宀miao喵mie乜min民ming名miu谬mo摸mou哞mu毪na拏nai腉nan囡nang囔nao孬ne疒nei" +
  "娞nen恁neng能ni妮nian拈niang娘niao鸟nie捏nin囜ning宁niu妞nong农nou羺nu奴nuan奻nuo挪o喔ou讴pa妑pai拍pan眅pang乓pao抛pei呸pen喷peng匉pi丕pi" +
  "an囨piao剽pie氕pin姘ping乒po钋pou剖pu仆qi七qia掐qian千qiang呛qiao悄qie苆qin亲qing靑qiong卭qiu丘qu区quan奍que炔qun夋ran呥rang穣rao娆re惹r" +
  "en人reng扔ri日rong戎rou厹ru邚rua挼ruan堧rui桵run瞤ruo捼sa仨sai毢san三sang桒sao掻se閪sen森seng僧sha杀shai筛shan山shang伤shao弰she奢shei谁" +
  "shen申sheng升shi尸shou収shu书shua刷shuai衰shuan闩shuang双shui脽shun吮shuo说si厶song忪sou凁su苏suan狻sui夊sun孙suo唆ta他tai囼tan坍tang" +
  "汤tao夲te忑teng熥ti剔tian天tiao旫tie帖ting厅tong囲tou偷tu凸tuan湍tui推tun吞tuo乇wa屲wai歪wan弯wang尢wei危wen昷weng翁wo挝wu乌xi夕xia呷xian" +
  "仙xiang乡xiao灱xie些xin心xing星xiong凶xiu休xu吁xuan吅xue削xun坃ya丫yan恹yang央yao幺ye倻yi一yin囙ying应yo哟yong佣you优yu込yuan囦yue曰yun晕" +
  "za帀zai災zan兂zang匨zao傮ze则zei贼zen怎zeng囎zha扎zhai夈zhan枬zhang张zhao佋zhe蜇zhen贞zheng凧zhi之zhong中zhou州zhu朱zhua抓zhuai跩zhua" +
  "n专zhuang妆zhui隹zhun宒zhuo拙zi孜zong宗zou邹zu租zuan钻zui厜zun尊zuo嘬"
).matchAll(/([a-z]+)([^a-z])/g)].map(([, reading = "", first = ""]) => [reading, first] as const);

/** Characters with more than one everyday reading, or with an ü: the collation knows one, and no ü. */
const others: Readonly<Record<string, readonly string[]>> = {
  重: ["chong"], 长: ["zhang"], 行: ["hang"], 还: ["huan"], 单: ["shan"], 便: ["pian"], 乐: ["yue"], 差: ["chai"],
  得: ["dei"], 没: ["mo"], 了: ["liao"], 调: ["tiao"], 着: ["zhao"], 会: ["kuai"], 大: ["dai"], 角: ["jue"],
  血: ["xie"], 说: ["shui"], 种: ["chong"], 传: ["zhuan"], 参: ["shen"], 曾: ["zeng"], 朝: ["chao"], 降: ["xiang"],
  女: ["nv"], 绿: ["lv"], 旅: ["lv"], 律: ["lv"], 率: ["lv"], 虑: ["lv"], 铝: ["lv"], 滤: ["lv"], 履: ["lv"], 吕: ["lv"],
  给: ["ji"], 和: ["huo"], 省: ["xing"], 解: ["xie"],
};

const collator = new Intl.Collator("zh-Hans-u-co-pinyin");
const han = /\p{Script=Han}/u;
const known = new Map<string, readonly string[]>();

/** How a character may be read; none for what is no Chinese character. */
function readings(character: string): readonly string[] {
  const cached = known.get(character);
  if (cached !== undefined) return cached;
  const found = han.test(character) ? [collated(character), ...(others[character] ?? [])].filter((reading) => reading !== "") : [];
  known.set(character, found);
  return found;
}

function collated(character: string): string {
  let low = 0;
  let high = syllables.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (collator.compare(syllables[middle]?.[1] ?? "", character) <= 0) low = middle + 1;
    else high = middle;
  }
  return syllables[low - 1]?.[0] ?? "";
}

/** A text in Latin letters, as far as it is Chinese: each character as a word of its own, by the reading the browser knows. */
export function inLatin(text: string): string {
  return Array.from(text, (character) => {
    const [reading] = readings(character);
    return reading === undefined ? character : ` ${reading} `;
  }).join("");
}

/** Whether `wanted` spells what `characters` begin with from `at` on. */
function spelled(characters: readonly string[], at: number, wanted: string): boolean {
  if (wanted === "") return true;
  const character = characters[at];
  if (character === undefined) return false;
  if (/\s/.test(character)) return spelled(characters, at + 1, wanted);
  if (wanted.startsWith(character)) return spelled(characters, at + 1, wanted.slice(character.length));
  return readings(character).some((reading) => {
    // The last syllable may still be on its way.
    if (reading.startsWith(wanted)) return true;
    if (wanted.startsWith(reading) && spelled(characters, at + 1, wanted.slice(reading.length))) return true;
    return wanted.startsWith(reading.slice(0, 1)) && spelled(characters, at + 1, wanted.slice(1));
  });
}

/** Nobody types more of a reading than this to find something. */
const wantedMax = 32;

/**
 * Where in `text` that stands what a person typed, literally or by its readings: 0 at the beginning,
 * -1 nowhere. Case and spaces around it do not count.
 */
export function soundsAt(text: string, typed: string): number {
  const wanted = typed.trim().toLowerCase();
  const lower = text.toLowerCase();
  const literal = lower.indexOf(wanted);
  if (literal >= 0 || wanted.length > wantedMax || !han.test(text)) return literal;
  const characters = [...lower];
  // Some write the syllables apart: "fa huo".
  const joined = wanted.replace(/[\s'’]+/g, "");
  return characters.findIndex((character, at) => !/\s/.test(character) && spelled(characters, at, joined));
}

/** Whether `text` contains what a person typed, literally or by its readings. */
export function soundsLike(text: string, typed: string): boolean {
  return soundsAt(text, typed) >= 0;
}
