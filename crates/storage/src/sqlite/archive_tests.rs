use super::*;

const PARTS: [(&str, &[u8]); 4] =
    [("lunas.db", &[7; 1300]), ("book.jsonl", b"{}\n"), ("empty", b""), ("exact", &[9; 512])];

fn written() -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    for (name, content) in PARTS {
        let size = u64::try_from(content.len()).expect("small");
        writer.part(name, size, &mut &*content).expect("written");
    }
    writer.finish().expect("written")
}

/// All parts, if the archive is whole.
fn read(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, ArchiveFault> {
    let mut reader = Reader::new(bytes);
    let mut parts = Vec::new();
    while let Some(part) = reader.next()? {
        let mut content = Vec::new();
        reader.copy(&part, &mut content)?;
        parts.push((part.name, content));
    }
    Ok(parts)
}

#[test]
fn what_is_written_is_read() {
    let parts = read(&written()).expect("whole");
    let parts: Vec<_> = parts.iter().map(|(name, content)| (&**name, &**content)).collect();
    assert_eq!(parts, PARTS);
}

#[test]
fn every_flipped_bit_is_noticed() {
    let archive = written();
    for place in 0..archive.len() {
        for bit in 0..8 {
            let mut damaged = archive.clone();
            damaged[place] ^= 1 << bit;
            assert!(read(&damaged).is_err(), "bit {bit} of byte {place}");
        }
    }
}

#[test]
fn every_truncation_and_every_addition_is_noticed() {
    let archive = written();
    for length in 0..archive.len() {
        assert!(read(&archive[..length]).is_err(), "{length} bytes");
    }
    for more in [&[0][..], &[0; 512], b"x"] {
        assert!(read(&[&archive, more].concat()).is_err());
    }
}

#[test]
fn a_part_that_is_missing_or_exchanged_is_named() {
    let archive = written();
    // The first part has a header and three blocks.
    let fault = read(&archive[4 * BLOCK..]).expect_err("refused");
    assert!(matches!(&fault, ArchiveFault::Mismatch { part } if part == "book.jsonl"), "{fault}");
    let mut exchanged = archive;
    exchanged[BLOCK] = 8;
    let fault = read(&exchanged).expect_err("refused");
    assert_eq!(fault.to_string(), "lunas.db: content and checksum do not agree");
}

#[test]
fn sizes_of_any_length_fit_a_header() {
    for size in [0, 1, OCTAL_SIZE_MAX, OCTAL_SIZE_MAX + 1, u64::MAX] {
        let part = Part { name: "lunas.db".to_owned(), size };
        assert_eq!(read_header(&header("lunas.db", size)), Some(part));
    }
}

/// The header that GNU tar 1.34 writes with `--format=ustar --mode=600 --owner=0 --group=0
/// --numeric-owner --mtime=@0` for a file `lunas.db` of 1300 bytes.
#[test]
fn the_header_is_the_one_that_tar_writes() {
    let digest = hex(&Sha256::digest(header("lunas.db", 1300)));
    assert_eq!(digest, "c19031af0cee193aea2f05ff6cf49d431bcdd6bd32bc83c901379bd1cf8cda4c");
}
