//! Code pages: old 8-bit and 16-bit encodings of names and passwords.
//!
//! Zip and other formats do not record the code page of a name, so it is guessed from all names of an archive.

use encoding_rs::{BIG5, EUC_KR, Encoding, GB18030, IBM866, SHIFT_JIS, WINDOWS_1251, WINDOWS_1252};

/// The upper half of code page 437, of DOS in the USA.
const CP437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";
/// The upper half of code page 850, of DOS in western Europe.
const CP850: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}";

/// A code page.
#[derive(Clone, Copy, Debug)]
pub struct CodePage(Kind);

#[derive(Clone, Copy, Debug)]
enum Kind {
    Dos(&'static str),
    Other(&'static Encoding),
}

impl CodePage {
    /// The text of `bytes`. A byte that the code page does not have becomes U+FFFD.
    pub fn decode(self, bytes: &[u8]) -> String {
        match self.0 {
            Kind::Dos(upper) => bytes.iter().map(|byte| dos_character(upper, *byte)).collect(),
            Kind::Other(encoding) => encoding.decode_without_bom_handling(bytes).0.into_owned(),
        }
    }
}

fn dos_character(upper: &str, byte: u8) -> char {
    match byte.checked_sub(0x80) {
        None => char::from(byte),
        Some(at) => upper.chars().nth(usize::from(at)).unwrap_or('\u{fffd}'),
    }
}

/// `text` in the code pages of Windows and DOS that it can be written in, without its UTF-8.
pub fn in_code_pages(text: &str) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = Vec::new();
    let dos = [CP437, CP850].map(|upper| {
        text.chars()
            .map(|character| match u8::try_from(character) {
                Ok(byte) if byte < 0x80 => Some(byte),
                _ => {
                    let at = upper.chars().position(|other| other == character)?;
                    u8::try_from(at + 0x80).ok()
                }
            })
            .collect::<Option<Vec<u8>>>()
    });
    let (windows, _, lossy) = WINDOWS_1252.encode(text);
    for bytes in dos.into_iter().flatten().chain((!lossy).then(|| windows.into_owned())) {
        if bytes != text.as_bytes() && !all.contains(&bytes) {
            all.push(bytes);
        }
    }
    all
}

/// Frequent syllables of Korean and characters of Chinese in names of files.
const KOREAN: &str = "이다에의가는을하한지로고사기서도를은인자시정일대어리해아부여주보전나수스공장문서계제과조원동안있상그만구성라무들년월용관국소신사합파업실요비결개내발진송견적금거래명세보고파일폴더새첨부";
const CHINESE: &str = "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运票息文件夹测试软恶意图片新建下载资料说明合同通知附件订单账号密码";

/// Guesses the code page of names, none of which is UTF-8. Where nothing speaks for another one, it is that of DOS.
pub fn guess<'a>(names: impl Iterator<Item = &'a [u8]>) -> CodePage {
    let mut names: Vec<&[u8]> = names.take(200).collect();
    names.truncate(200);
    let east = [SHIFT_JIS, EUC_KR, GB18030, BIG5];
    let best = east
        .into_iter()
        .map(|encoding| (score(encoding, &names), encoding))
        // The first of several with the same score.
        .fold(
            (0.0, None),
            |best, (score, encoding)| {
                if score > best.0 { (score, Some(encoding)) } else { best }
            },
        );
    if let (0.8.., Some(encoding)) = best {
        return CodePage(Kind::Other(encoding));
    }
    // Runs of letters above 0x7f: a language that is not written in Latin letters.
    let (mut runs, mut high, mut dos_cyrillic, mut windows_cyrillic) = (0, 0, 0, 0);
    let (mut dos_latin, mut windows_latin) = (0, 0);
    for name in &names {
        for run in name.split(u8::is_ascii) {
            high += run.len();
            runs += usize::from(run.len() >= 3) * run.len();
        }
        for byte in name.iter().filter(|byte| !byte.is_ascii()) {
            dos_cyrillic += usize::from(matches!(byte, 0x80..=0xaf | 0xe0..=0xf1));
            windows_cyrillic += usize::from(matches!(byte, 0xc0..=0xff | 0xa8 | 0xb8));
            dos_latin += usize::from(matches!(byte, 0x80..=0xa5 | 0xe1));
            windows_latin += usize::from(matches!(byte, 0xc0..=0xff));
        }
    }
    if runs * 2 > high && dos_cyrillic == high {
        return CodePage(Kind::Other(IBM866));
    }
    if runs * 2 > high && windows_cyrillic == high {
        return CodePage(Kind::Other(WINDOWS_1251));
    }
    if windows_latin == high && dos_latin < high {
        return CodePage(Kind::Other(WINDOWS_1252));
    }
    CodePage(Kind::Dos(CP437))
}

/// The share of the characters that are common in the encoding's language. Only those next to another one count: a
/// single one in the midst of Latin letters may be an accented letter. 0 if any name is not valid in the encoding.
fn score(encoding: &'static Encoding, names: &[&[u8]]) -> f32 {
    let (mut common, mut all, mut single) = (0.0, 0_u32, 0_u32);
    for name in names {
        let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(name) else {
            return 0.0;
        };
        let mut before = false;
        let letters: Vec<char> = text.chars().collect();
        for (at, letter) in letters.iter().enumerate() {
            let other = !letter.is_ascii();
            let after = letters.get(at + 1).is_some_and(|next| !next.is_ascii());
            if other && (before || after) {
                all += 1;
                common += is_common(encoding, *letter);
            }
            single += u32::from(other && !before && !after);
            before = other;
        }
    }
    if all == 0 || single > 2 * all { 0.0 } else { common / all as f32 }
}

/// How common a character is in the language that an encoding is for: 0 to 1.
fn is_common(encoding: &'static Encoding, letter: char) -> f32 {
    let kana = matches!(letter, '\u{3041}'..='\u{30fe}');
    let punctuation = matches!(letter, '、' | '。' | '・' | '「' | '」' | '【' | '】' | '（' | '）' | '　');
    // The bytes of a character tell how common it is: the first level of each standard.
    let mut text = [0; 4];
    let (bytes, _, lossy) = encoding.encode(letter.encode_utf8(&mut text));
    if lossy {
        return 0.0;
    }
    let [lead, trail] = *bytes else { return 0.0 };
    let common = if encoding == SHIFT_JIS {
        kana || punctuation || matches!(lead, 0x88..=0x97)
    } else if encoding == EUC_KR {
        matches!(lead, 0xb0..=0xc8) && trail >= 0xa1
    } else if encoding == GB18030 {
        (matches!(lead, 0xb0..=0xd7) && trail >= 0xa1) || punctuation
    } else {
        matches!(lead, 0xa4..=0xc6)
    };
    // The frequent characters of both languages decide between two encodings that fit.
    let frequent = (encoding != EUC_KR || KOREAN.contains(letter))
        && (encoding != GB18030 || CHINESE.contains(letter) || punctuation);
    match (common, frequent) {
        (false, _) => 0.0,
        (true, false) => 0.85,
        (true, true) => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_decoded_in_the_code_page_of_their_language() {
        for (name, encoding) in [
            ("テスト.exe", SHIFT_JIS),
            ("請求書_2024年.exe", SHIFT_JIS),
            ("新しいフォルダー/請求書.pdf.exe", SHIFT_JIS),
            ("发票信息.exe", GB18030),
            ("发票.exe", GB18030),
            ("测试文件夹/恶意软件.exe", GB18030),
            ("송장.exe", EUC_KR),
            ("發票資料.exe", BIG5),
            ("счёт-фактура.exe", IBM866),
            ("Новая папка/Договор.exe", IBM866),
            ("договор оплаты.exe", WINDOWS_1251),
        ] {
            let (bytes, _, lossy) = encoding.encode(name);
            assert!(!lossy, "{name}");
            assert_eq!(guess([&bytes[..]].into_iter()).decode(&bytes), name, "{}", encoding.name());
        }
        for name in
            ["Größe.exe", "Rechnung für März.exe", "Müller.exe", "señor.exe", "français é.exe", "Übung.txt"]
        {
            let bytes = in_code_pages(name).remove(0);
            assert_eq!(guess([&bytes[..]].into_iter()).decode(&bytes), name);
        }
        let windows = WINDOWS_1252.encode("Übergrößenträger.exe").0;
        assert_eq!(guess([&windows[..]].into_iter()).decode(&windows), "Übergrößenträger.exe");
    }

    #[test]
    fn a_password_is_written_in_each_code_page_that_has_it() {
        assert_eq!(CP437.chars().count(), 128);
        assert_eq!(CP850.chars().count(), 128);
        assert!(in_code_pages("infected").is_empty());
        let all = in_code_pages("geheim-äöü");
        assert_eq!(all, [b"geheim-\x84\x94\x81".to_vec(), b"geheim-\xe4\xf6\xfc".to_vec()]);
        assert!(in_code_pages("秘密").is_empty());
    }
}
