//! Stream filters (ISO 32000-2, 7.4), as far as structure needs them.
//!
//! Picture filters are refused by name, not guessed. Damaged data give what came before the damage, as in every reader;
//! what must never happen is unbounded output, so every filter writes through a [`Sink`] that counts.

mod ascii;
mod flate;
mod lzw;
mod predictor;
mod run_length;

use crate::budget::Meter;
use crate::error::{PdfError, Result};
use crate::object::{Dictionary, Object};

pub(crate) use flate::deflate;

/// One filter with its parameters resolved.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    pub(crate) name: Vec<u8>,
    pub(crate) parameters: Dictionary,
}

/// Output that is counted against the budget.
pub(crate) struct Sink<'m> {
    pub(crate) bytes: Vec<u8>,
    meter: &'m Meter,
    structure: bool,
    input: u64,
    counted: u64,
}

impl<'m> Sink<'m> {
    fn new(meter: &'m Meter, structure: bool, input: usize) -> Self {
        Sink { bytes: Vec::new(), meter, structure, input: input as u64, counted: 0 }
    }

    /// Counts what has been written since the last call.
    pub(crate) fn count(&mut self) -> Result<()> {
        let len = self.bytes.len() as u64;
        let budget = &self.meter.budget;
        if len > budget.stream_bytes {
            return Err(PdfError::Budget { what: "stream_bytes" });
        }
        if len > 1 << 20 && len / self.input.max(1) > budget.inflate_ratio {
            return Err(PdfError::Budget { what: "inflate_ratio" });
        }
        if self.structure {
            self.meter.inflate(len.saturating_sub(self.counted))?;
        }
        self.counted = len;
        Ok(())
    }

    pub(crate) fn push(&mut self, byte: u8) -> Result<()> {
        self.bytes.push(byte);
        if self.bytes.len().is_multiple_of(1 << 16) { self.count() } else { Ok(()) }
    }

    fn finish(mut self) -> Result<Vec<u8>> {
        self.count()?;
        Ok(self.bytes)
    }
}

/// Undoes all filters in order. `structure`: the stream is part of the document's structure and counts as such.
pub(crate) fn decode(data: Vec<u8>, filters: &[Filter], meter: &Meter, structure: bool) -> Result<Vec<u8>> {
    if filters.len() > meter.budget.filters {
        return Err(PdfError::Budget { what: "filters" });
    }
    let mut data = data;
    for filter in filters {
        data = decode_one(data, filter, meter, structure)?;
    }
    Ok(data)
}

fn decode_one(data: Vec<u8>, filter: &Filter, meter: &Meter, structure: bool) -> Result<Vec<u8>> {
    let mut sink = Sink::new(meter, structure, data.len());
    match filter.name.as_slice() {
        b"FlateDecode" | b"Fl" => {
            flate::inflate(&data, &mut sink)?;
            predictor::undo(sink.finish()?, &filter.parameters)
        }
        b"LZWDecode" | b"LZW" => {
            let early = filter.parameters.get("EarlyChange").and_then(Object::as_integer) != Some(0);
            lzw::decode(&data, early, &mut sink)?;
            predictor::undo(sink.finish()?, &filter.parameters)
        }
        b"ASCIIHexDecode" | b"AHx" => {
            ascii::hexadecimal(&data, &mut sink)?;
            sink.finish()
        }
        b"ASCII85Decode" | b"A85" => {
            ascii::base85(&data, &mut sink)?;
            sink.finish()
        }
        b"RunLengthDecode" | b"RL" => {
            run_length::decode(&data, &mut sink)?;
            sink.finish()
        }
        b"Crypt" => Ok(data), // done where the bytes were decrypted
        other => Err(PdfError::unsupported(String::from_utf8_lossy(other).into_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;

    fn run(name: &str, parameters: Dictionary, data: &[u8]) -> Result<Vec<u8>> {
        let meter = Meter::new(Budget::default(), 1000);
        decode(data.to_vec(), &[Filter { name: name.into(), parameters }], &meter, true)
    }

    fn check(name: &str, data: &[u8], want: &[u8]) {
        assert_eq!(run(name, Dictionary::new(), data).as_deref(), Ok(want), "{name} {data:?}");
    }

    #[test]
    fn vectors() {
        check("ASCIIHexDecode", b"48 65 6C6c 6F7>zz", b"Hellop");
        check("ASCII85Decode", b"<~87cURD]i,\"Ebo80~>", b"Hello World!");
        check("ASCII85Decode", b"87cURD]i,\"Ebo8", b"Hello World");
        check("ASCII85Decode", b"z!!~>", b"\0\0\0\0\0");
        check("RunLengthDecode", &[2, b'a', b'b', b'c', 254, b'x', 128, 9], b"abcxxx");
        check("RunLengthDecode", &[5, b'a'], b"a");
        // The example of 7.4.4.2.
        check("LZWDecode", &[0x80, 0x0B, 0x60, 0x50, 0x22, 0x0C, 0x0C, 0x85, 0x01], &[45, 45, 45, 45, 45, 65, 45, 45, 45, 66]);
        assert!(matches!(run("DCTDecode", Dictionary::new(), b""), Err(PdfError::Unsupported { .. })));
    }

    #[test]
    fn a_cut_flate_stream_gives_its_beginning() {
        let data: Vec<u8> = (0..20_000u32).map(|n| (n % 253) as u8 ^ (n / 700) as u8).collect();
        let packed = deflate(&data);
        check("FlateDecode", &packed, &data);
        let cut = run("FlateDecode", Dictionary::new(), &packed[..packed.len() / 2]).unwrap();
        assert!(!cut.is_empty() && data.starts_with(&cut));
        let mut bad_sum = packed.clone();
        *bad_sum.last_mut().unwrap() ^= 1;
        check("FlateDecode", &bad_sum, &data);
        check("FlateDecode", &packed[2..], &data); // without the zlib header
    }

    #[test]
    fn bombs_end_in_a_typed_error() {
        let bomb = deflate(&vec![0; 70 << 20]);
        assert_eq!(run("FlateDecode", Dictionary::new(), &bomb), Err(PdfError::Budget { what: "stream_bytes" }));
        let meter = Meter::new(Budget { inflate_ratio: 100, ..Budget::default() }, 1000);
        let filters = [Filter { name: b"Fl".to_vec(), parameters: Dictionary::new() }];
        assert_eq!(decode(bomb.clone(), &filters, &meter, false), Err(PdfError::Budget { what: "inflate_ratio" }));
        let many = vec![filters[0].clone(); 9];
        assert_eq!(decode(bomb, &many, &meter, false), Err(PdfError::Budget { what: "filters" }));
    }

    #[test]
    fn predictors() {
        let png = Dictionary::new().with("Predictor", 12).with("Columns", 3);
        // Rows: none, sub, up, average, paeth.
        let rows = [0, 1, 2, 3, 1, 1, 1, 1, 2, 1, 1, 1, 3, 1, 1, 1, 4, 1, 1, 1];
        let want = vec![1, 2, 3, 1, 2, 3, 2, 3, 4, 2, 3, 4, 3, 4, 5];
        assert_eq!(run("FlateDecode", png.clone(), &deflate(&rows)), Ok(want));
        assert_eq!(run("FlateDecode", png, &deflate(&rows[..6])), Ok(vec![1, 2, 3, 1]));
        let tiff = Dictionary::new().with("Predictor", 2).with("Columns", 3);
        assert_eq!(run("FlateDecode", tiff, &deflate(&[1, 1, 1, 5, 1, 1])), Ok(vec![1, 2, 3, 5, 6, 7]));
        let absurd = Dictionary::new().with("Predictor", 15).with("Columns", i64::MAX).with("Colors", 99);
        assert!(run("FlateDecode", absurd, &deflate(&rows)).is_err());
    }
}
