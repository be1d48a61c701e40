import type { Catalog } from "../texts";
import type { DemoKey } from "./demo.en";

export const demoZh: Catalog<DemoKey> = {
  "demo.name": "云杉茶器",
  "demo.tagline": "龙泉手作茶器",
  "demo.nav_shop": "器物",
  "demo.nav_story": "窑事",
  "demo.hero_title": "一杯茶的滋味，一半在器",
  "demo.hero_text": "青瓷、粗陶与竹，由龙泉四位匠人小批烧制。以苔藓包装寄出，不用塑料。",
  "demo.hero_button": "咨询成套茶具",
  "demo.products": "本月新窑",
  "demo.gaiwan": "梅子青盖碗",
  "demo.gaiwan_text": "120 毫升，梅子青釉，宜乌龙与白茶。",
  "demo.teapot": "粗陶茶壶",
  "demo.teapot_text": "280 毫升，铁釉，球形滤孔，断水利落。",
  "demo.cups": "冰裂小杯四只",
  "demo.cups_text": "每只 60 毫升，冰裂纹釉，只只不同。",
  "demo.tray": "竹茶盘",
  "demo.tray_text": "38 × 24 厘米，附储水抽屉。",
  "demo.ask": "咨询此款",
  "demo.ask_label": "咨询此款：{product}",
  "demo.story_title": "四位匠人，一座窑",
  "demo.story_text": "每月第一个周六开窑。裂了的铺作小径，完好的送到您手中。",
  "demo.console": "在旁边打开控制台",
  "demo.console_text": "这是一个演示商店。请在聊天窗口留言，再到控制台以坐席身份回复。",
  "demo.footer": "云杉茶器纯属虚构，聊天由 Frontdesk 提供。",
  "demo.missing": "此服务器未开启演示。",
};
