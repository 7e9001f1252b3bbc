"""What people and bots write, in eleven languages, and what they shop for.

No text holds a quote, a backslash, a tab or a line break: it goes as it is into COPY and into JSON.
Lists begin with what is common: sentences are made with their first words more often than with their last.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from random import Random


@dataclass(frozen=True)
class Language:
    """Words and the sentences they are put into."""

    code: str
    items: tuple[str, ...]
    counts: tuple[str, ...]
    places: tuple[str, ...]
    times: tuple[str, ...]
    topics: tuple[str, ...]
    asks: tuple[str, ...]
    answers: tuple[str, ...]
    closings: tuple[str, ...]
    questions: tuple[str, ...]
    passages: tuple[str, ...]
    chatter: tuple[str, ...]


SYMBOLS = ("BTC", "ETH", "SOL", "PTT", "AOT", "CPALL", "AAPL", "NVDA", "TSLA", "GOLD", "KBANK", "DOGE")

THAI = Language(
    code="th",
    items=(
        *("ข้าวมันไก่", "กะเพราหมูสับ", "ส้มตำไทย", "ผัดไทย", "ชาเย็น", "ต้มยำกุ้ง", "ข้าวผัดปู", "ก๋วยเตี๋ยวเรือ"),
        *("ข้าวขาหมู", "แกงเขียวหวาน", "หมูปิ้ง", "ข้าวเหนียวมะม่วง", "กาแฟเย็น", "ลาบหมู", "ไก่ย่าง", "โจ๊กหมู"),
        *("ราดหน้า", "ผัดซีอิ๊ว", "เย็นตาโฟ", "น้ำตกหมู", "แกงส้ม", "ไข่เจียวหมูสับ", "ข้าวหน้าเป็ด", "หมูกรอบ"),
        *("ขนมจีนน้ำยา", "แกงมัสมั่น", "ข้าวซอยไก่", "ห่อหมกทะเล", "ปลากะพงนึ่งมะนาว", "น้ำพริกปลาทู"),
    ),
    counts=("หนึ่ง", "สอง", "สาม", "สี่", "ห้า", "หก", "แปด", "สิบ", "สิบสอง", "ยี่สิบ"),
    places=(
        *("ลาดพร้าว", "สยาม", "บางนา", "อโศก", "รังสิต", "อารีย์", "ห้วยขวาง", "พระรามเก้า", "เชียงใหม่"),
        *("หาดใหญ่", "ขอนแก่น", "ภูเก็ต", "นนทบุรี", "ศรีราชา", "อุดรธานี"),
    ),
    times=(
        "เที่ยงครึ่ง",
        "หกโมงเย็น",
        "เก้าโมงเช้า",
        "สองทุ่ม",
        "บ่ายสองโมง",
        "สิบเอ็ดโมง",
        "พรุ่งนี้เช้า",
        "วันเสาร์",
        "เมื่อวาน",
    ),
    topics=("สัญญาเช่า", "ประกันสุขภาพ", "ภาษีมูลค่าเพิ่ม", "วันลาพักร้อน", "การคืนสินค้า", "เงินเดือน", "ความปลอดภัย"),
    asks=(
        "สั่ง{item}{count}กล่องครับ",
        "ขอ{item}{count}ที่ไม่ใส่ผักนะคะ",
        "วันนี้มี{item}ไหมครับ",
        "ร้านสาขา{place}เปิดกี่โมงคะ",
        "{item}ราคาเท่าไหร่ครับ",
        "ส่ง{item}{count}ชุดไป{place}ได้ไหมคะ",
        "ของที่สั่งไว้ตอน{time}ยังไม่ได้เลยครับ",
        "จองโต๊ะ{count}ที่ตอน{time}ค่ะ",
        "ขอเปลี่ยนที่อยู่จัดส่งเป็น{place}ครับ",
        "โอนค่า{item}แล้วนะคะรบกวนเช็คให้ด้วย",
        "{item}เผ็ดมากไหมคะเด็กกินได้หรือเปล่า",
        "ขอยกเลิก{item}{count}รายการครับ",
        "เดือนนี้มีโปรโมชั่น{item}ไหมคะ",
        "ไปรับ{item}เองที่{place}ตอน{time}ได้ไหมครับ",
        "ขอใบเสร็จค่า{item}ด้วยค่ะ",
        "เพิ่ม{item}อีก{count}กล่องทันไหมครับ",
        "เมื่อวาน{item}อร่อยมากเลยค่ะขอสั่งเหมือนเดิม",
        "คนส่งหาบ้านที่{place}ไม่เจอช่วยโทรหาด้วยครับ",
    ),
    answers=(
        "รับ{item}{count}กล่องนะคะจัดส่งไม่เกิน{time}ค่ะ",
        "{item}หมดแล้วค่ะเปลี่ยนเป็นอย่างอื่นได้ไหมคะ",
        "ร้านสาขา{place}เปิดถึงสองทุ่มทุกวันค่ะ",
        "ได้รับยอดโอนค่า{item}เรียบร้อยแล้วค่ะ",
        "จองโต๊ะ{count}ที่ตอน{time}ให้แล้วนะคะ",
        "ส่งฟรีในเขต{place}เมื่อสั่งครบสามร้อยบาทค่ะ",
        "ขออภัยที่ล่าช้าค่ะคนส่งกำลังออกจาก{place}แล้ว",
        "{item}วันนี้ลดสิบเปอร์เซ็นต์ถึง{time}เท่านั้นค่ะ",
        "ยกเลิก{item}ให้แล้วและจะคืนเงินภายใน{time}ค่ะ",
        "แอดมินกำลังตรวจสอบรายการ{item}ให้อยู่ค่ะรอสักครู่นะคะ",
    ),
    closings=("ขอบคุณครับ", "ขอบคุณค่ะ", "ด่วนนะครับ", "รอตอบอยู่นะคะ", "ไม่รีบครับ", "ฝากด้วยนะคะ 🙏", "เก็บเงินปลายทาง"),
    questions=(
        "{topic}มีเงื่อนไขอะไรบ้าง",
        "ช่วยสรุปเรื่อง{topic}ให้หน่อย",
        "เอกสารเรื่อง{topic}อยู่หน้าไหน",
        "{topic}ของปีนี้ต่างจากปีที่แล้วอย่างไร",
    ),
    passages=(
        "ตามเอกสารฉบับนี้{topic}ให้เป็นไปตามที่ตกลงกันเป็นลายลักษณ์อักษรและมีผลภายในสามสิบวัน",
        "หัวข้อ{topic}ระบุว่าผู้ขอต้องยื่นแบบฟอร์มพร้อมสำเนาบัตรประชาชน{count}ชุด",
        "สาขา{place}รับผิดชอบเรื่อง{topic}และต้องรายงานทุกวันที่ห้าของเดือน",
        "หากไม่ปฏิบัติตามข้อกำหนดเรื่อง{topic}บริษัทขอสงวนสิทธิ์ในการยกเลิกโดยไม่ต้องแจ้งล่วงหน้า",
    ),
    chatter=(
        "{symbol}ขึ้นแรงมากวันนี้",
        "ใครถือ{symbol}อยู่บ้าง",
        "ผมว่า{symbol}รอย่อก่อนดีกว่า",
        "ข่าว{symbol}ออกตอน{time}",
        "ขาย{symbol}หมดแล้วไปกิน{item}ดีกว่า",
    ),
)

ENGLISH = Language(
    code="en",
    items=(
        *(
            "chicken burger",
            "margherita pizza",
            "iced latte",
            "caesar salad",
            "fish and chips",
            "club sandwich",
        ),
        *(
            "beef ramen",
            "pad thai",
            "mushroom risotto",
            "lamb shawarma",
            "blueberry cheesecake",
            "oyster platter",
        ),
    ),
    counts=("one", "two", "three", "four", "five", "six", "eight", "ten", "a dozen"),
    places=("downtown", "the airport", "Riverside", "Oak Street", "the harbour", "Station Road", "Hill Park"),
    times=("noon", "7 pm", "tomorrow morning", "half past six", "Friday night", "an hour ago", "9 am"),
    topics=(
        "the lease",
        "health insurance",
        "parental leave",
        "the return policy",
        "data retention",
        "travel costs",
    ),
    asks=(
        "Hi, can I order {count} {item} for {time}?",
        "Do you still have {item} today?",
        "How much is the {item}?",
        "Could you deliver {count} {item} to {place}?",
        "My order from {time} has not arrived yet",
        "A table for {count} at {time}, please",
        "Please change the delivery address to {place}",
        "Is the {item} gluten free?",
        "I was charged twice for the {item}",
        "What time does the {place} branch close?",
    ),
    answers=(
        "Sure, {count} {item} will be ready by {time}",
        "Sorry, we are out of {item}; may we suggest something else?",
        "The {place} branch is open until 10 pm",
        "Your table for {count} at {time} is confirmed",
        "The rider has just left {place}",
        "We have refunded the {item}; it takes three working days",
        "The {item} is ten per cent off until {time}",
    ),
    closings=("thanks", "thank you so much", "no rush", "please hurry", "see you soon", "cash on delivery"),
    questions=(
        "What does the handbook say about {topic}?",
        "Summarise the section on {topic}",
        "On which page is {topic} explained?",
        "How did {topic} change since last year?",
    ),
    passages=(
        "According to the agreement, {topic} must be settled in writing within thirty days.",
        "The chapter on {topic} asks for {count} signed copies of the application form.",
        "Questions about {topic} go to the office at {place}, which answers within two working days.",
        "Whoever does not follow the rules on {topic} may lose the benefits named in section four.",
    ),
    chatter=(
        "{symbol} looks strong today",
        "anyone still holding {symbol}?",
        "I would wait for a dip in {symbol}",
        "news about {symbol} at {time}",
        "sold all my {symbol}, lunch is {item}",
    ),
)

JAPANESE = Language(
    code="ja",
    items=(
        *("ラーメン", "唐揚げ弁当", "カツ丼", "抹茶ラテ", "餃子", "天ぷらそば", "オムライス", "鮭おにぎり"),
        *("お好み焼き", "うな重", "たこ焼き", "味噌カツ"),
    ),
    counts=("一つ", "二つ", "三つ", "四つ", "五つ", "六つ", "八つ", "十個"),
    places=("渋谷", "新宿", "梅田", "横浜駅", "博多", "札幌", "仙台", "金沢"),
    times=("正午", "午後六時", "明日の朝", "金曜の夜", "さっき", "午前九時"),
    topics=("賃貸契約", "健康保険", "有給休暇", "返品規定", "個人情報", "出張費"),
    asks=(
        "{item}を{count}お願いします",
        "今日は{item}ありますか",
        "{item}はいくらですか",
        "{place}まで{item}を{count}配達できますか",
        "{time}に頼んだものがまだ届きません",
        "{time}に席を予約したいのですが",
        "届け先を{place}に変更してください",
        "{item}に卵は入っていますか",
    ),
    answers=(
        "{item}を{count}承りました、{time}までにお届けします",
        "申し訳ございません、{item}は売り切れです",
        "{place}店は夜十時まで営業しております",
        "{time}のご予約を確認いたしました",
        "配達員が{place}を出発しました",
        "{item}は{time}まで一割引です",
    ),
    closings=("よろしくお願いします", "ありがとうございます", "急いでいます", "助かります"),
    questions=("{topic}について教えてください", "{topic}の要点をまとめて", "{topic}は何ページですか"),
    passages=(
        "本規程によれば、{topic}は三十日以内に書面で定めるものとします。",
        "{topic}の章では、申請書を{count}提出するよう求めています。",
        "{topic}に関するお問い合わせは{place}の窓口で受け付けます。",
    ),
    chatter=(
        "{symbol}が上がってる",
        "{symbol}まだ持ってる人いる?",
        "{symbol}は押し目待ち",
        "{symbol}全部売って{item}食べる",
    ),
)

KOREAN = Language(
    code="ko",
    items=(
        *("김치찌개", "비빔밥", "양념치킨", "떡볶이", "아이스 아메리카노", "삼겹살", "냉면", "불고기"),
        *("순두부찌개", "김밥", "해물파전", "갈비탕"),
    ),
    counts=("한 개", "두 개", "세 개", "네 개", "다섯 개", "여섯 개", "열 개"),
    places=("강남", "홍대", "잠실", "부산역", "판교", "명동", "제주", "대전"),
    times=("정오", "저녁 여섯 시", "내일 아침", "금요일 밤", "한 시간 전", "오전 아홉 시"),
    topics=("임대 계약", "건강 보험", "연차 휴가", "반품 규정", "개인 정보", "출장비"),
    asks=(
        "{item} {count} 주문할게요",
        "오늘 {item} 있나요",
        "{item} 얼마예요",
        "{place}까지 {item} {count} 배달되나요",
        "{time}에 시킨 음식이 아직 안 왔어요",
        "{time}에 자리 예약하고 싶어요",
        "배달 주소를 {place}(으)로 바꿔 주세요",
        "{item} 많이 매운가요",
    ),
    answers=(
        "{item} {count} 접수되었습니다, {time}까지 보내 드릴게요",
        "죄송합니다, {item}은 품절입니다",
        "{place}점은 밤 열 시까지 영업합니다",
        "{time} 예약이 확인되었습니다",
        "기사님이 {place}에서 출발했습니다",
        "{item}은 {time}까지 십 퍼센트 할인합니다",
    ),
    closings=("감사합니다", "부탁드려요", "빨리 부탁해요", "수고하세요"),
    questions=("{topic}에 대해 알려 주세요", "{topic} 내용을 요약해 주세요", "{topic}은 몇 쪽에 있나요"),
    passages=(
        "본 규정에 따르면 {topic}은 삼십 일 이내에 서면으로 정해야 합니다.",
        "{topic} 장에서는 신청서 {count}를 제출하도록 하고 있습니다.",
        "{topic} 문의는 {place} 사무소에서 처리합니다.",
    ),
    chatter=(
        "{symbol} 오늘 강하네",
        "{symbol} 아직 들고 있는 사람?",
        "{symbol} 조정 기다리는 중",
        "{symbol} 팔고 {item} 먹으러 간다",
    ),
)

CHINESE = Language(
    code="zh",
    items=(
        *("牛肉面", "宫保鸡丁", "珍珠奶茶", "小笼包", "麻婆豆腐", "扬州炒饭", "酸辣汤", "烤鸭"),
        *("糖醋排骨", "海南鸡饭", "水煮鱼", "葱油拌面"),
    ),
    counts=("一份", "两份", "三份", "四份", "五份", "六份", "十份"),
    places=("朝阳区", "浦东", "天河", "西湖边", "火车站", "春熙路", "南山", "机场"),
    times=("中午", "下午六点", "明天早上", "星期五晚上", "一个小时前", "上午九点"),
    topics=("租赁合同", "医疗保险", "年假", "退货政策", "个人信息", "差旅费"),
    asks=(
        "我要{count}{item}",
        "今天还有{item}吗",
        "{item}多少钱",
        "可以送{count}{item}到{place}吗",
        "{time}下的单还没到",
        "想订{time}的位子",
        "请把地址改成{place}",
        "{item}可以不放香菜吗",
    ),
    answers=(
        "好的,{count}{item}会在{time}前送到",
        "抱歉,{item}已经卖完了",
        "{place}店营业到晚上十点",
        "{time}的位子已经为您留好",
        "骑手已从{place}出发",
        "{item}在{time}之前打九折",
    ),
    closings=("谢谢", "麻烦快一点", "不急", "货到付款"),
    questions=("关于{topic}有什么规定", "请总结{topic}这一节", "{topic}在第几页"),
    passages=(
        "根据本协议,{topic}应当在三十天内以书面形式确定。",
        "{topic}一章要求提交{count}签字的申请表。",
        "有关{topic}的问题由{place}办事处在两个工作日内答复。",
    ),
    chatter=("{symbol}今天很强", "还有人拿着{symbol}吗", "等{symbol}回调再说", "{symbol}全卖了去吃{item}"),
)

VIETNAMESE = Language(
    code="vi",
    items=(
        *(
            "phở bò",
            "bánh mì thịt",
            "cà phê sữa đá",
            "bún chả",
            "cơm tấm",
            "gỏi cuốn",
            "trà sữa",
            "bún bò Huế",
        ),
        *("hủ tiếu", "chả giò", "mì Quảng", "bánh xèo"),
    ),
    counts=("một", "hai", "ba", "bốn", "năm", "sáu", "mười"),
    places=("quận 1", "Thủ Đức", "Hoàn Kiếm", "Cầu Giấy", "Đà Nẵng", "sân bay", "Cần Thơ"),
    times=("buổi trưa", "sáu giờ chiều", "sáng mai", "tối thứ sáu", "một tiếng trước", "chín giờ sáng"),
    topics=("hợp đồng thuê", "bảo hiểm y tế", "nghỉ phép năm", "chính sách đổi trả", "công tác phí"),
    asks=(
        "Cho mình {count} phần {item} nhé",
        "Hôm nay còn {item} không ạ",
        "{item} giá bao nhiêu vậy shop",
        "Giao {count} phần {item} đến {place} được không",
        "Đơn đặt lúc {time} vẫn chưa tới",
        "Đặt bàn {count} người lúc {time} giúp mình",
        "Đổi địa chỉ giao hàng sang {place} giúp em",
    ),
    answers=(
        "Dạ {count} phần {item} sẽ giao trước {time} ạ",
        "Dạ xin lỗi, {item} đã hết rồi ạ",
        "Chi nhánh {place} mở cửa đến mười giờ tối",
        "Bàn {count} người lúc {time} đã được giữ",
        "Tài xế vừa rời {place} ạ",
    ),
    closings=("cảm ơn nhiều", "nhanh giúp mình nhé", "không gấp đâu", "trả tiền khi nhận hàng"),
    questions=("Quy định về {topic} là gì", "Tóm tắt phần {topic} giúp tôi", "{topic} nằm ở trang nào"),
    passages=(
        "Theo thỏa thuận này, {topic} phải được xác nhận bằng văn bản trong vòng ba mươi ngày.",
        "Chương về {topic} yêu cầu nộp {count} bản sao có chữ ký.",
        "Mọi câu hỏi về {topic} do văn phòng {place} trả lời trong hai ngày làm việc.",
    ),
    chatter=(
        "{symbol} hôm nay mạnh quá",
        "còn ai giữ {symbol} không",
        "chờ {symbol} giảm rồi mua",
        "bán hết {symbol} đi ăn {item}",
    ),
)

INDONESIAN = Language(
    code="id",
    items=(
        *(
            "nasi goreng",
            "ayam geprek",
            "es teh manis",
            "mie ayam",
            "sate ayam",
            "bakso",
            "gado-gado",
            "rendang",
        ),
        *("soto ayam", "martabak manis", "nasi uduk", "pempek"),
    ),
    counts=("satu", "dua", "tiga", "empat", "lima", "enam", "sepuluh"),
    places=("Kemang", "Sudirman", "Bandung", "bandara", "Depok", "Surabaya", "Canggu"),
    times=("jam dua belas siang", "jam enam sore", "besok pagi", "Jumat malam", "satu jam lalu"),
    topics=("kontrak sewa", "asuransi kesehatan", "cuti tahunan", "kebijakan retur", "biaya perjalanan"),
    asks=(
        "Saya pesan {item} {count} porsi ya",
        "Hari ini masih ada {item}?",
        "{item} berapa harganya kak",
        "Bisa antar {count} {item} ke {place}?",
        "Pesanan saya dari {time} belum sampai",
        "Mau reservasi meja untuk {count} orang {time}",
        "Tolong ganti alamat ke {place}",
    ),
    answers=(
        "Baik kak, {count} porsi {item} kami antar sebelum {time}",
        "Mohon maaf, {item} sudah habis",
        "Cabang {place} buka sampai jam sepuluh malam",
        "Meja untuk {count} orang {time} sudah kami siapkan",
        "Kurir baru saja berangkat dari {place}",
    ),
    closings=("terima kasih", "makasih kak", "tolong cepat ya", "bayar di tempat"),
    questions=(
        "Apa aturan tentang {topic}?",
        "Ringkas bagian {topic}",
        "Di halaman berapa {topic} dijelaskan?",
    ),
    passages=(
        "Menurut perjanjian ini, {topic} harus ditetapkan secara tertulis dalam tiga puluh hari.",
        "Bab {topic} meminta {count} salinan formulir yang sudah ditandatangani.",
        "Pertanyaan tentang {topic} dijawab oleh kantor {place} dalam dua hari kerja.",
    ),
    chatter=(
        "{symbol} kuat banget hari ini",
        "masih ada yang pegang {symbol}?",
        "tunggu {symbol} koreksi dulu",
        "{symbol} sudah dijual, makan {item} dulu",
    ),
)

MALAY = Language(
    code="ms",
    items=(
        *(
            "nasi lemak",
            "roti canai",
            "teh tarik",
            "char kuey teow",
            "laksa",
            "mee goreng mamak",
            "ayam percik",
        ),
        *("nasi kerabu", "cendol", "satay kajang", "asam pedas", "apam balik"),
    ),
    counts=("satu", "dua", "tiga", "empat", "lima", "enam", "sepuluh"),
    places=("Bangsar", "Petaling Jaya", "Johor Bahru", "Pulau Pinang", "Shah Alam", "Kota Bharu"),
    times=("tengah hari", "pukul enam petang", "pagi esok", "malam Jumaat", "sejam lepas"),
    topics=(
        "perjanjian sewa",
        "insurans perubatan",
        "cuti tahunan",
        "polisi pemulangan",
        "tuntutan perjalanan",
    ),
    asks=(
        "Saya nak pesan {item} {count} bungkus",
        "Hari ni ada {item} tak?",
        "{item} berapa ringgit?",
        "Boleh hantar {count} {item} ke {place}?",
        "Pesanan {time} masih belum sampai",
        "Nak tempah meja untuk {count} orang {time}",
        "Tolong tukar alamat ke {place}",
    ),
    answers=(
        "Baik, {count} bungkus {item} akan sampai sebelum {time}",
        "Maaf, {item} dah habis",
        "Cawangan {place} buka sampai pukul sepuluh malam",
        "Meja untuk {count} orang {time} sudah ditempah",
        "Rider baru keluar dari {place}",
    ),
    closings=("terima kasih", "tolong cepat sikit", "tak kisah lambat", "bayar tunai"),
    questions=(
        "Apakah peraturan tentang {topic}?",
        "Ringkaskan bahagian {topic}",
        "{topic} di muka surat berapa?",
    ),
    passages=(
        "Mengikut perjanjian ini, {topic} mesti disahkan secara bertulis dalam tempoh tiga puluh hari.",
        "Bab {topic} meminta {count} salinan borang yang telah ditandatangani.",
        "Soalan berkaitan {topic} dijawab oleh pejabat {place} dalam dua hari bekerja.",
    ),
    chatter=(
        "{symbol} naik gila hari ni",
        "siapa lagi pegang {symbol}?",
        "tunggu {symbol} turun dulu",
        "dah jual {symbol}, jom makan {item}",
    ),
)

SPANISH = Language(
    code="es",
    items=(
        *(
            "tacos al pastor",
            "paella",
            "tortilla española",
            "empanadas",
            "café con leche",
            "churros",
            "gazpacho",
        ),
        *("croquetas de jamón", "ceviche", "arepas", "pulpo a la gallega", "flan de coco"),
    ),
    counts=("uno", "dos", "tres", "cuatro", "cinco", "seis", "diez"),
    places=("el centro", "la estación", "Chamberí", "el aeropuerto", "Polanco", "Triana", "Palermo"),
    times=("mediodía", "las nueve", "mañana temprano", "el viernes", "hace una hora"),
    topics=("el alquiler", "el seguro médico", "las vacaciones", "las devoluciones", "los gastos de viaje"),
    asks=(
        "Hola, quiero pedir {item} para {count}",
        "¿Todavía tienen {item} hoy?",
        "¿Cuánto cuesta {item}?",
        "¿Pueden llevar {item} a {place}?",
        "Mi pedido de {time} aún no ha llegado",
        "Una mesa para {count} a {time}, por favor",
        "Cambien la dirección a {place}, por favor",
    ),
    answers=(
        "Perfecto, {item} para {count} llegará antes de {time}",
        "Lo sentimos, ya no queda {item}",
        "El local de {place} cierra a las diez",
        "Su mesa para {count} queda reservada",
        "El repartidor acaba de salir de {place}",
    ),
    closings=("muchas gracias", "sin prisa", "lo antes posible", "pago en efectivo"),
    questions=(
        "¿Qué dice el manual sobre {topic}?",
        "Resume la sección de {topic}",
        "¿En qué página está {topic}?",
    ),
    passages=(
        "Según el acuerdo, {topic} debe fijarse por escrito en un plazo de treinta días.",
        "El capítulo sobre {topic} exige {count} copias firmadas de la solicitud.",
        "Las preguntas sobre {topic} se atienden en la oficina de {place}.",
    ),
    chatter=(
        "{symbol} viene fuerte hoy",
        "¿alguien sigue con {symbol}?",
        "mejor esperar a que baje {symbol}",
        "vendí {symbol}, hoy toca {item}",
    ),
)

FRENCH = Language(
    code="fr",
    items=(
        *(
            "croque-monsieur",
            "quiche lorraine",
            "café crème",
            "ratatouille",
            "bœuf bourguignon",
            "tarte tatin",
        ),
        *("crêpe au sucre", "soupe à l’oignon", "moules-frites", "blanquette de veau", "cassoulet"),
    ),
    counts=("un", "deux", "trois", "quatre", "cinq", "six", "dix"),
    places=("la gare", "Montmartre", "Bellecour", "le vieux port", "la Défense", "Wazemmes"),
    times=("midi", "vingt heures", "demain matin", "vendredi soir", "il y a une heure"),
    topics=("le bail", "la mutuelle", "les congés payés", "les retours", "les frais de déplacement"),
    asks=(
        "Bonjour, je voudrais commander {item} pour {count}",
        "Avez-vous encore {item} en carte ce soir ?",
        "Combien coûte {item} ?",
        "Pouvez-vous livrer {item} à {place} ?",
        "Ma commande ({time}) pas encore reçue",
        "Une table pour {count}, {time}, merci de confirmer",
    ),
    answers=(
        "Très bien, {item} pour {count}, prêt avant {time}",
        "Désolé, {item} : rupture de stock",
        "Le restaurant de {place} ferme à vingt-deux heures",
        "Votre table pour {count} est réservée",
        "Le livreur vient de quitter {place}",
    ),
    closings=("merci beaucoup", "à tout de suite", "sans urgence", "paiement à la livraison"),
    questions=(
        "Que dit le guide sur {topic} ?",
        "Résume la partie sur {topic}",
        "À quelle page trouve-t-on {topic} ?",
    ),
    passages=(
        "Selon la convention, {topic} : accord écrit sous trente jours obligatoire.",
        "Le chapitre sur {topic} demande {count} exemplaires signés du formulaire.",
        "Pour toute question sur {topic}, le bureau de {place} répond sous deux jours ouvrés.",
    ),
    chatter=(
        "{symbol} monte bien ce matin",
        "qui garde encore {symbol} ?",
        "attendons une baisse de {symbol}",
        "{symbol} vendu, place au repas : {item}",
    ),
)

GERMAN = Language(
    code="de",
    items=(
        *(
            "Currywurst",
            "Käsespätzle",
            "Schnitzel",
            "Apfelschorle",
            "Kartoffelsalat",
            "Maultaschen",
            "Brezel",
        ),
        *("Sauerbraten", "Flammkuchen", "Königsberger Klopse", "Rote Grütze", "Labskaus"),
    ),
    counts=("einmal", "zweimal", "dreimal", "viermal", "fünfmal", "zehnmal"),
    places=("am Bahnhof", "in Schwabing", "in Altona", "am Flughafen", "in Ehrenfeld", "in Gohlis"),
    times=("mittags", "um sieben", "morgen früh", "Freitagabend", "vor einer Stunde"),
    topics=("Mietvertrag", "Krankenversicherung", "Urlaubsanspruch", "Rückgabe", "Reisekosten"),
    asks=(
        "Hallo, ich hätte gern {count} {item}",
        "Gibt es heute noch {item}?",
        "Was kostet {item}?",
        "Liefert ihr auch {place}? {count} {item} bitte",
        "Meine Bestellung ist noch nicht da, bestellt {time}",
        "Einen Tisch {place} bitte, {time}",
    ),
    answers=(
        "Gern, {count} {item}, fertig {time}",
        "Leider ist {item} ausverkauft",
        "Die Filiale {place} hat bis 22 Uhr geöffnet",
        "Ihr Tisch ist reserviert, {time}",
        "Der Bote ist gerade losgefahren, {place}",
    ),
    closings=("vielen Dank", "danke euch", "eilt nicht", "bitte schnell", "Barzahlung"),
    questions=(
        "Was steht im Handbuch zum Thema {topic}?",
        "Fasse den Abschnitt {topic} zusammen",
        "Auf welcher Seite steht {topic}?",
    ),
    passages=(
        "Laut Vereinbarung ist das Thema {topic} innerhalb von dreißig Tagen schriftlich zu regeln.",
        "Das Kapitel {topic} verlangt, das Formular {count} unterschrieben einzureichen.",
        "Fragen zum Thema {topic} beantwortet das Büro {place} binnen zwei Werktagen.",
    ),
    chatter=(
        "{symbol} läuft heute gut",
        "hält noch jemand {symbol}?",
        "bei {symbol} lieber warten",
        "{symbol} verkauft, jetzt gibt es {item}",
    ),
)

LANGUAGES = {
    language.code: language
    for language in (
        *(THAI, ENGLISH, JAPANESE, KOREAN, CHINESE, VIETNAMESE),
        *(INDONESIAN, MALAY, SPANISH, FRENCH, GERMAN),
    )
}

SENTENCES = {"asks": 2000, "answers": 1500, "questions": 300, "passages": 400, "chatter": 300}
"""How many sentences of a kind one language has; Thai has three times as many."""


@cache
def sentences(code: str, kind: str) -> tuple[str, ...]:
    """Finished sentences of one kind, the same ones every time."""
    language = LANGUAGES[code]
    rng = Random(f"{code}:{kind}")
    templates: tuple[str, ...] = getattr(language, kind)
    wanted = SENTENCES[kind] * (3 if language is THAI else 1)
    return tuple(_sentence(language, rng.choice(templates), rng) for _ in range(wanted))


def _sentence(language: Language, template: str, rng: Random) -> str:
    return template.format(
        item=_first_ones_first(language.items, rng),
        count=_first_ones_first(language.counts, rng),
        place=_first_ones_first(language.places, rng),
        time=rng.choice(language.times),
        topic=_first_ones_first(language.topics, rng),
        symbol=_first_ones_first(SYMBOLS, rng),
    )


def _first_ones_first(words: tuple[str, ...], rng: Random) -> str:
    return words[int((len(words) + 1) ** rng.random()) - 1]


FIRST_NAMES = (
    *(
        "สมชาย",
        "Nok",
        "ปรีชา",
        "Somchai",
        "วรรณา",
        "Mali",
        "Anna",
        "Kenji",
        "美咲",
        "지훈",
        "서연",
        "小明",
        "Linh",
    ),
    *(
        "Minh",
        "Budi",
        "Siti",
        "Aisyah",
        "Carlos",
        "Lucía",
        "Camille",
        "Jules",
        "Lena",
        "Jonas",
        "Grace",
        "Omar",
    ),
)
LAST_NAMES = (
    *("ใจดี", "ศรีสุข", "Wong", "Tanaka", "佐藤", "김", "李", "Nguyễn", "Trần", "Santoso", "Rahman", "García"),
    *("Fernández", "Dubois", "Martin", "Schmidt", "Weber", "Smith", "Brown", "Chaiyasit", "Okafor", "Rossi"),
)
RESTAURANTS = (
    "Baan Suan",
    "Casa Lola",
    "Green Bowl",
    "ครัวคุณยาย",
    "Sakura",
    "Warung Ibu",
    "Chez Paul",
    "Taj Garden",
)
BOT_NAMES = (
    "Nong Mali",
    "Bull Run",
    "Captain Dip",
    "Auntie Chart",
    "Lucky Cat",
    "Doctor Candle",
    "Moon Rabbit",
)
CHAT_TITLES = ("Traders Lounge", "หุ้นไทยวันนี้", "Night Owls", "Makan Makan", "投資クラブ", "Café Charts")
STANCE_TOPICS = (
    *(
        "interest rates",
        "gold",
        "bitcoin",
        "street food",
        "football",
        "electric cars",
        "remote work",
        "tourism",
    ),
    *("rainy season", "property", "coffee prices", "oil"),
)
STANCES = ("strongly for", "for", "undecided", "against", "strongly against")
MEMORY_TYPES = ("fact", "preference", "event", "relationship", "opinion")
ANALYSIS_TYPES = ("trend", "competition", "pricing", "sentiment", "demand")
AI_MODELS = ("small-chat-2", "large-chat-3", "large-chat-4")

CATEGORIES = {
    "electronics": ("wireless earbuds", "power bank", "smart watch", "bluetooth speaker", "action camera"),
    "fashion": ("linen shirt", "running shoes", "canvas bag", "denim jacket", "silk scarf"),
    "home": ("rice cooker", "air purifier", "standing lamp", "floor mat", "bed sheet"),
    "beauty": ("sunscreen", "sheet mask", "lip tint", "hair serum", "hand cream"),
    "groceries": ("jasmine rice", "fish sauce", "instant noodles", "green tea", "coconut oil"),
    "toys": ("building blocks", "plush bear", "board game", "puzzle", "toy train"),
    "sports": ("yoga mat", "football", "badminton racket", "water bottle", "trekking pole"),
    "pets": ("cat litter", "dog harness", "bird cage", "fish food", "scratching post"),
}
"""Categories, the big ones first, and what is sold in them."""

BRANDS = (
    "Arun",
    "Norden",
    "Kumo",
    "Bluefin",
    "Sela",
    "Tigerleaf",
    "Hanok",
    "Mira",
    "Volta",
    "Casa",
    "Lotus",
    "Petra",
)
QUALIFIERS = (
    *(
        "cheap",
        "best",
        "for kids",
        "large",
        "small",
        "black",
        "white",
        "waterproof",
        "gift",
        "light",
        "for women",
    ),
    *("for men", "red", "organic", "premium", "travel size", "set of 2", "new", "blue", "eco friendly"),
)
COLOURS = ("black", "white", "red", "blue", "green", "beige")
