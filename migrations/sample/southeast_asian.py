"""What people and bots write in Vietnamese, Indonesian and Malay."""

from __future__ import annotations

from migrations.sample.language import Language

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
