//! Chinese characters: which are, and the simplified ones that traditional ones are read as, so that one list of words,
//! one index and one model serve both scripts.

use std::sync::LazyLock;

/// The ideographs the table is about: the block "CJK Unified Ideographs".
const FIRST: u32 = 0x4e00;
const LAST: u32 = 0x9fff;

/// Pairs, traditional first, those that chats use most before the others. A character that stands for itself in both
/// scripts is not here; where one traditional form has two simplified readings the commoner one stands.
const PAIRS: &str = "\
嗎吗個个們们還还沒没單单說说機机謝谢來来點点幾几電电換换費费開开兩两錢钱價价車车話话買买號号係系會会麼么問问門门這这書书補补請请張张報报經经帶带裝装關关錯错試试當当邊边師师轉转貨货訂订證证裡里\
裏里約约帳帐寫写對对講讲賣卖發发碼码頭头條条幫帮剛刚媽妈數数舊旧櫃柜週周網网業业線线後后現现萬万時时購购樣样隻只進进戶户場场預预員员斷断連连續续無无結结著着務务課课計计圖图變变顆颗長长紙纸簽签\
籤签國国學学飛飞聲声內内緊紧視视見见氣气間间運运頁页處处別别團团繳缴藥药禮礼統统兒儿記记測测險险資资凍冻樓楼墊垫爛烂賠赔該该據据讀读貴贵專专練练託托隊队聽听掛挂熱热辦办體体領领動动鍋锅飯饭組组\
廳厅額额滿满輪轮認认載载鎖锁權权醫医細细題题顯显檔档備备貼贴絲丝頂顶級级實实順顺從从雞鸡妝妆調调談谈純纯銀银針针訊讯東东倉仓掃扫選选區区鐘钟鍾钟罰罚鑰钥溫温尋寻筆笔錄录刪删燈灯廚厨乾干淨净煩烦\
濕湿較较煙烟識识養养湯汤鏈链審审嗚呜燒烧護护欄栏廠厂採采鄰邻闆板攤摊館馆獎奖聯联閒闲雙双騎骑風风廣广應应壞坏優优劃划語语寶宝脫脱襯衬誇夸編编紅红豬猪愛爱維维輕轻憶忆匯汇彙汇腦脑繼继訴诉閃闪藍蓝\
錶表寬宽薦荐達达頻频腳脚貓猫讚赞贊赞確确謂谓儲储漲涨顏颜懷怀塊块膚肤質质嬰婴餵喂隨随膠胶顧顾飼饲銷销狀状議议讓让雜杂戀恋徵征夾夹遊游規规戲戏覺觉鏡镜賽赛歸归紀纪鑽钻終终亂乱鑑鉴論论夠够併并準准\
紹绍綁绑負负責责樂乐興兴廁厕歷历曆历歲岁鈴铃颱台檯台臺台償偿貸贷離离樁桩鬧闹檢检鳥鸟盜盗設设減减舖铺鋪铺懸悬綠绿龜龟響响衝冲沖冲靜静馬马畫画饒饶為为爲为縣县腫肿術术聞闻親亲亞亚標标繡绣螢萤創创\
縮缩決决撳揿鬆松層层徹彻佔占蝦虾鳳凤稱称麗丽嘆叹齊齐蘋苹華华慶庆餒馁贈赠瑪玛曬晒側侧彌弥湊凑圓圆撫抚傾倾蟲虫閉闭擔担態态寵宠誌志絕绝詩诗彈弹驟骤擋挡積积隱隐則则聖圣誕诞鷗鸥剝剥損损鍊炼煉炼潔洁\
鈪钪總总壓压頸颈葉叶複复復复財财擲掷稅税韓韩陣阵襪袜膽胆歐欧毀毁灑洒駕驾涼凉與与罵骂棧栈營营歡欢絡络髮发執执診诊衛卫滷卤蓋盖捨舍魚鱼圍围艙舱遠远爾尔鋼钢夢梦異异際际傳传揚扬輩辈姊姐盤盘洩泄棟栋\
蹤踪磚砖牆墙撿捡臨临檻槛摺折騙骗餘余幣币殯殡禍祸褲裤難难願愿遺遗誰谁飽饱攜携麥麦纖纤廈厦違违鈔钞遲迟輯辑誤误憑凭擊击郵邮襲袭塗涂劇剧職职義义遞递績绩臟脏髒脏黃黄帥帅懇恳訪访齒齿臉脸麵面驚惊飲饮\
諮咨詢询療疗暫暂嚇吓謄誊牽牵禱祷覽览駐驻鏢镖丟丢並并亙亘伕夫佈布侖仑侶侣俁俣俠侠倀伥倆俩倖幸倫伦偉伟偽伪僞伪傑杰傘伞傢家傭佣債债傷伤僅仅僑侨僕仆僥侥僱雇儀仪億亿儉俭儘尽兌兑兇凶冊册凈净凜凛剎刹\
剮剐劉刘劊刽劍剑劑剂勁劲勛勋勳勋勝胜勞劳勢势勵励勸劝匱匮協协卻却厭厌厲厉參参叢丛吳吴呂吕啞哑啟启啓启喚唤喪丧喬乔喲哟嗆呛嘔呕嘗尝嘩哗嘮唠嘰叽嘯啸噓嘘噴喷噸吨嚀咛嚐尝嚕噜嚨咙嚮向嚴严囂嚣囑嘱囪囱\
圇囵園园堅坚堊垩堯尧塋茔塢坞塵尘塹堑墜坠墮堕墳坟墾垦壇坛壘垒壟垄壩坝壯壮壺壶壽寿夥伙奐奂奪夺奮奋奧奥妳你姦奸娛娱婁娄婦妇媧娲嫵妩嫻娴孃娘孫孙宮宫寢寝寧宁將将導导尷尴屆届屍尸屜屉屢屡屬属岡冈峯峰\
島岛峽峡崗岗嶄崭嶺岭嶽岳巒峦巖岩巔巅幀帧幟帜幹干庫库廟庙廢废廬庐弔吊強强彎弯彥彦徑径徠徕恆恒悅悦悶闷惡恶惱恼惻恻愴怆愷恺慄栗慘惨慚惭慣惯慫怂慮虑憂忧憊惫憐怜憚惮憤愤憫悯憲宪懲惩懶懒懺忏懼惧戰战\
拋抛挾挟捲卷掄抡掙挣揀拣揮挥搖摇搗捣搶抢摑掴摟搂摯挚摳抠撈捞撐撑撓挠撥拨撲扑擁拥擇择擠挤擬拟擰拧擱搁擴扩擺摆擾扰攔拦攝摄攙搀攪搅敗败敘叙敵敌斂敛斃毙斕斓斬斩於于昇升晉晋晝昼暈晕暉晖暢畅曉晓曠旷\
朧胧枴拐柵栅桿杆梔栀梘枧梟枭棄弃棗枣棲栖椏桠楊杨楓枫榮荣構构槍枪槳桨槓杠樑梁樞枢樸朴樹树橋桥橢椭橫横檸柠櫻樱欽钦歎叹歿殁殘残殺杀殼壳毆殴毿毵氈毡氫氢汙污況况洶汹涇泾淒凄淚泪淪沦淵渊淺浅渙涣渦涡\
渾浑湧涌溝沟溼湿滄沧滅灭滌涤滯滞滲渗滾滚漁渔漚沤漢汉漬渍漸渐潑泼潛潜潤润潰溃澀涩澆浇澇涝澗涧澤泽濁浊濃浓濟济濤涛濫滥濱滨瀉泻瀏浏瀕濒瀝沥瀟潇瀰弥灘滩灣湾災灾烏乌煒炜熾炽燉炖燙烫燜焖燦灿燭烛爍烁\
爐炉爭争牘牍犧牺狹狭猶犹獄狱獅狮獨独獲获穫获獵猎獸兽獻献玀猡瑣琐瑤瑶瑩莹璽玺瓊琼甌瓯產产産产畝亩畢毕疊叠癡痴痠酸痺痹瘋疯瘍疡瘡疮瘧疟癒愈癢痒癥症癬癣癮瘾癱瘫皚皑皺皱盃杯盡尽監监盧卢眾众睏困睜睁\
瞞瞒瞭了矚瞩矯矫硃朱硤硖硯砚碩硕礎础礙碍礦矿祿禄禦御禪禅禿秃種种穀谷穌稣穎颖穩稳穢秽窩窝窮穷竄窜竅窍競竞筍笋箇个節节範范築筑篩筛簡简簾帘籃篮籌筹籠笼籬篱粵粤糞粪糧粮糾纠紂纣紋纹納纳紐纽紛纷紡纺\
紮扎紳绅絃弦絞绞給给絨绒綜综綢绸綱纲綴缀綵彩綺绮綻绽綽绰綿绵緒绪緘缄緝缉緞缎締缔緣缘緩缓緬缅緯纬縛缚縫缝縷缕縱纵繃绷織织繞绕繩绳繪绘繫系繭茧繽缤纏缠纔才罈坛罷罢羅罗羈羁羨羡習习翹翘聰聪聳耸聾聋\
肅肃脅胁脈脉脹胀腎肾腸肠膩腻膾脍臘腊艦舰艱艰艷艳豔艳芻刍苧苎莊庄莖茎莢荚莧苋菸烟萊莱萵莴葦苇葷荤蒼苍蓮莲蔔卜蔣蒋蔥葱蔭荫薑姜薔蔷薩萨藝艺蘆芦蘇苏蘊蕴蘭兰蘿萝虛虚虜虏虧亏蛻蜕蝕蚀蝸蜗蟻蚁蠅蝇蠟蜡\
蠶蚕蠻蛮衆众衊蔑袞衮裊袅製制褳裢襖袄襠裆覓觅觀观觸触訃讣訌讧討讨訓训訝讶訟讼訣诀註注詐诈詛诅評评詞词詠咏詫诧詭诡詰诘詳详誅诛誘诱誠诚誣诬誦诵誼谊諒谅諧谐諱讳諷讽諸诸諾诺謀谋謊谎謎谜謙谦謠谣謬谬\
謹谨譁哗譏讥譜谱譯译譴谴譽誉讎仇讒谗豈岂豎竖豐丰貝贝貞贞貢贡貧贫貪贪貫贯貶贬貳贰貿贸賀贺賂贿賄贿賊贼賓宾賜赏賞赏賢贤賤贱賦赋賬账賭赌賴赖賺赚贏赢贓赃贖赎趕赶趙赵趨趋跡迹踐践踴踊蹟迹躉趸躍跃軀躯\
軌轨軍军軒轩軟软軸轴軼轶輒辄輔辅輛辆輝辉輻辐輾辗轄辖轎轿轟轰辭辞辯辩農农迴回逕径過过適适遙遥遜逊遼辽邁迈邏逻鄉乡鄭郑醜丑醞酝醬酱釀酿釁衅釋释釐厘釘钉釣钓鈍钝鈕钮鈞钧鈣钙鈦钛鈽钚鉅巨鉗钳鉛铅鉤钩\
鉻铬銅铜銘铭銜衔銳锐鋁铝鋅锌鋒锋鋰锂鋸锯錦锦錫锡錐锥鍵键鎊镑鎮镇鏟铲鏽锈鐵铁鐲镯鑄铸鑒鉴鑲镶鑼锣鑿凿閂闩閏闰閘闸閣阁閥阀閱阅閻阎闊阔闌阑闖闯闡阐陘陉陝陕陰阴陳陈陸陆陽阳隕陨雖虽雛雏雲云霧雾霽霁\
靂雳靈灵靦腆韌韧韻韵頃顷項项須须鬚须頌颂頑顽頒颁頓顿頗颇頤颐頰颊頹颓顛颠類类顫颤颳刮飄飘飢饥飪饪飾饰餃饺餅饼餌饵餓饿餚肴饅馒饌馔饋馈馭驭馳驰馴驯駁驳駛驶駝驼駱骆駿骏騰腾騷骚驅驱驕骄驗验驢驴髖髋\
鬍胡鬥斗鬱郁魯鲁鮑鲍鮮鲜鯊鲨鯉鲤鯨鲸鰻鳗鱉鳖鱷鳄鴉鸦鴛鸳鴨鸭鴿鸽鵝鹅鵬鹏鶴鹤鷄鸡鷹鹰鸚鹦鹹咸鹼碱鹽盐麩麸麪面黌黉黨党黴霉鼴鼹齋斋齡龄齣出齲龋龍龙龐庞嶼屿啣衔喫吃綫线羣群爺爷嬸婶襬摆鬢鬓囉啰囍喜\
瞇眯鹵卤榦干牀床唸念搾榨纜缆蓆席薰熏羶膻恥耻陞升歛敛鉋刨錘锤鎚锤鎂镁鎢钨鉑铂鑵罐罎坛瓏珑璣玑瑋玮藹蔼藺蔺蘢茏蕭萧葯药貯贮賈贾賃赁贛赣蹺跷躑踯轅辕辮辫逬迸邇迩鄒邹鄧邓酈郦銹锈鋤锄鍍镀鎳镍鏗铿閩闽\
闢辟隸隶霑沾鞏巩韁缰頷颔顎颚鬨哄鮭鲑鯽鲫鱔鳝鱸鲈鳴鸣鴻鸿鵲鹊鸞鸾齪龊齷龌舉举嘍喽麽么\
";

/// Indexed by the distance to [`FIRST`]; all of both sides are in the block, so 16 bits are enough.
static TABLE: LazyLock<Box<[u16]>> = LazyLock::new(|| {
    let mut table: Box<[u16]> = (FIRST as u16..=LAST as u16).collect();
    let mut pairs = PAIRS.chars();
    while let (Some(traditional), Some(simplified)) = (pairs.next(), pairs.next()) {
        // Of two readings the one that stands first.
        if let (Some(at), Ok(simplified)) = (place(traditional), u16::try_from(simplified))
            && u32::from(table[at]) == u32::from(traditional)
        {
            table[at] = simplified;
        }
    }
    table
});

fn place(character: char) -> Option<usize> {
    let code = u32::from(character);
    (FIRST..=LAST).contains(&code).then(|| (code - FIRST) as usize)
}

/// Whether a character is of the block "CJK Unified Ideographs", which has all that are in daily use.
pub fn is_common_ideograph(character: char) -> bool {
    place(character).is_some()
}

/// Whether a character is an ideograph of any block, the rare and the compatible ones too.
pub fn is_ideograph(character: char) -> bool {
    matches!(character, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}')
}

/// The simplified form of a character, or the character itself. Nobody should be shown the result: it is for comparing.
pub fn simplified(character: char) -> char {
    let folded = place(character).and_then(|at| char::from_u32(u32::from(TABLE[at])));
    folded.unwrap_or(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> String {
        text.chars().map(simplified).collect()
    }

    #[test]
    fn every_pair_is_in_the_block_and_folding_twice_changes_nothing_more() {
        assert_eq!(PAIRS.chars().count() % 2, 0);
        for character in PAIRS.chars() {
            assert!(is_common_ideograph(character) && is_ideograph(character), "{character}");
            let once = simplified(character);
            assert_eq!(simplified(once), once, "{character} becomes {once}");
        }
    }

    #[test]
    fn texts_are_read_in_one_script() {
        assert_eq!(folded("敏感詞"), "敏感词");
        assert_eq!(folded("退貨運費誰付？訂單號碼在哪裡"), "退货运费谁付？订单号码在哪里");
        assert_eq!(folded("Refund 退款 ok"), "Refund 退款 ok");
    }

    #[test]
    fn ideographs_of_other_blocks_are_ideographs() {
        for (character, common, any) in [
            ('中', true, true),
            ('\u{3400}', false, true),
            ('\u{20000}', false, true),
            ('あ', false, false),
        ] {
            assert_eq!(
                (is_common_ideograph(character), is_ideograph(character)),
                (common, any),
                "{character}"
            );
        }
    }
}
