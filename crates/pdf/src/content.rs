//! Content streams written operator by operator (ISO 32000-2 clause 8 and 9), for appearances and page additions.
//!
//! It writes what it is told and does not check resource names or nesting; numbers are always spelled as PDF wants them.

use crate::object::{Name, PdfString, Real};

/// Builds the bytes of a content stream.
#[derive(Debug, Clone, Default)]
pub struct ContentBuilder {
    bytes: Vec<u8>,
}

impl ContentBuilder {
    /// An empty content stream.
    pub fn new() -> Self {
        ContentBuilder::default()
    }

    /// `q`: saves the graphics state.
    pub fn save(&mut self) -> &mut Self {
        self.operator(&[], "q")
    }

    /// `Q`: restores the graphics state.
    pub fn restore(&mut self) -> &mut Self {
        self.operator(&[], "Q")
    }

    /// `cm`: multiplies the matrix.
    pub fn concat(&mut self, matrix: [f64; 6]) -> &mut Self {
        self.operator(&matrix, "cm")
    }

    /// `re`: a rectangle by its lower left corner and size.
    pub fn rectangle(&mut self, x: f64, y: f64, width: f64, height: f64) -> &mut Self {
        self.operator(&[x, y, width, height], "re")
    }

    /// `m`: begins a path.
    pub fn move_to(&mut self, x: f64, y: f64) -> &mut Self {
        self.operator(&[x, y], "m")
    }

    /// `l`: a straight line.
    pub fn line_to(&mut self, x: f64, y: f64) -> &mut Self {
        self.operator(&[x, y], "l")
    }

    /// `c`: a Bézier curve.
    pub fn curve_to(&mut self, points: [f64; 6]) -> &mut Self {
        self.operator(&points, "c")
    }

    /// `W n`: clips to the path.
    pub fn clip(&mut self) -> &mut Self {
        self.operator(&[], "W n")
    }

    /// `f`: fills the path.
    pub fn fill(&mut self) -> &mut Self {
        self.operator(&[], "f")
    }

    /// `S`: strokes the path.
    pub fn stroke(&mut self) -> &mut Self {
        self.operator(&[], "S")
    }

    /// `w`: line width.
    pub fn line_width(&mut self, width: f64) -> &mut Self {
        self.operator(&[width], "w")
    }

    /// `J` and `j` with round caps and joins.
    pub fn round_lines(&mut self) -> &mut Self {
        self.operator(&[1.0], "J").operator(&[1.0], "j")
    }

    /// `rg`: fill colour, components from 0 to 1.
    pub fn fill_rgb(&mut self, red: f64, green: f64, blue: f64) -> &mut Self {
        self.operator(&[red, green, blue], "rg")
    }

    /// `RG`: stroke colour.
    pub fn stroke_rgb(&mut self, red: f64, green: f64, blue: f64) -> &mut Self {
        self.operator(&[red, green, blue], "RG")
    }

    /// `g`: grey fill colour.
    pub fn fill_gray(&mut self, gray: f64) -> &mut Self {
        self.operator(&[gray], "g")
    }

    /// `gs`: an ExtGState resource.
    pub fn graphics_state(&mut self, name: &str) -> &mut Self {
        self.named(name, &[], "gs")
    }

    /// `Do`: draws an XObject resource.
    pub fn draw(&mut self, name: &str) -> &mut Self {
        self.named(name, &[], "Do")
    }

    /// `BT`.
    pub fn begin_text(&mut self) -> &mut Self {
        self.operator(&[], "BT")
    }

    /// `ET`.
    pub fn end_text(&mut self) -> &mut Self {
        self.operator(&[], "ET")
    }

    /// `Tf`: font resource and size.
    pub fn font(&mut self, name: &str, size: f64) -> &mut Self {
        self.named(name, &[size], "Tf")
    }

    /// `Td`: moves to the next line's start.
    pub fn move_text(&mut self, x: f64, y: f64) -> &mut Self {
        self.operator(&[x, y], "Td")
    }

    /// `Tm`: the text matrix.
    pub fn text_matrix(&mut self, matrix: [f64; 6]) -> &mut Self {
        self.operator(&matrix, "Tm")
    }

    /// `Tj`: shows a string of character codes, written in hexadecimal.
    pub fn show(&mut self, codes: &[u8]) -> &mut Self {
        PdfString::hex(codes).write(&mut self.bytes);
        self.bytes.extend_from_slice(b" Tj\n");
        self
    }

    /// `/Tx BMC`, as variable text in a field's appearance is marked (12.7.4.3).
    pub fn begin_marked(&mut self, tag: &str) -> &mut Self {
        self.named(tag, &[], "BMC")
    }

    /// `EMC`.
    pub fn end_marked(&mut self) -> &mut Self {
        self.operator(&[], "EMC")
    }

    /// Bytes as they are (a `/DA` string, an operator that is not here), then a line end.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self.bytes.push(b'\n');
        self
    }

    /// Any operator with numeric operands.
    pub fn operator(&mut self, operands: &[f64], operator: &str) -> &mut Self {
        for operand in operands {
            self.bytes.extend_from_slice(Real::new(*operand).text().as_bytes());
            self.bytes.push(b' ');
        }
        self.bytes.extend_from_slice(operator.as_bytes());
        self.bytes.push(b'\n');
        self
    }

    fn named(&mut self, name: &str, operands: &[f64], operator: &str) -> &mut Self {
        Name::new(name).write(&mut self.bytes);
        self.bytes.push(b' ');
        self.operator(operands, operator)
    }

    /// The bytes, not compressed.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_operators_with_plain_numbers() {
        let mut content = ContentBuilder::new();
        content.save().concat([1.0, 0.0, 0.0, 1.0, 1e-7, -0.5]).draw("Seal#1").restore();
        content.begin_text().font("F1", 12.0).show(&[0, 0x2A]).end_text();
        assert_eq!(content.finish(), b"q\n1 0 0 1 0 -0.5 cm\n/Seal#231 Do\nQ\nBT\n/F1 12 Tf\n<002A> Tj\nET\n");
    }
}
