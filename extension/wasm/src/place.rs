//! Where seals are wished for, as a page or the stamping page says it, and what that means on a document: pages counted,
//! keywords found, seams cut. Every number is checked; a wish that makes no sense is refused, never guessed.

use sealbridge_protocol::words::plain;
use sealbridge_protocol::{Code, Failure};
use sealbridge_seal::{Side, Which};
use serde::{Deserialize, Serialize};

/// Most places of one stamp, counted after pages and keywords have become places.
pub(crate) const PLACES_MAX: usize = 500;
/// Longest name of a field, list of pages or keyword, in characters.
const TEXT_MAX: usize = 500;
/// No page is larger than this, in millimetres; numbers beyond it are mistakes.
const FAR_MM: f64 = 20_000.0;
/// Most lines and points of a drawing.
const STROKES_MAX: usize = 200;
const POINTS_MAX: usize = 10_000;

/// One wish. Pages are counted from 1; millimetres from the lower left corner of the page as displayed.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(untagged, try_from = "Raw")]
pub(crate) enum Place {
    /// On a signature field.
    Field(FieldPlace),
    /// On one page.
    Page(PagePlace),
    /// At the same place of several pages.
    Pages(PagesPlace),
    /// On a text.
    Keyword(KeywordPlace),
    /// Over the outer edges of several pages.
    Seam {
        /// The seam.
        seam: SeamPlace,
    },
    /// A line with the day of signing.
    Date {
        /// Where.
        date: PagePlace,
    },
    /// Lines drawn by hand; only the stamping page makes them.
    Drawing {
        /// The lines and where they stand.
        drawing: DrawingPlace,
    },
}

#[derive(Serialize, Clone, Debug, PartialEq)]
pub(crate) struct FieldPlace {
    pub(crate) field: String,
}

#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
pub(crate) struct PagePlace {
    pub(crate) page: u32,
    pub(crate) x: f64,
    pub(crate) y: f64,
}

#[derive(Serialize, Clone, Debug, PartialEq)]
pub(crate) struct PagesPlace {
    pub(crate) pages: String,
    pub(crate) x: f64,
    pub(crate) y: f64,
}

#[derive(Serialize, Clone, Debug, PartialEq)]
pub(crate) struct KeywordPlace {
    pub(crate) keyword: String,
    pub(crate) which: Hits,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pages: Option<String>,
    pub(crate) dx: f64,
    pub(crate) dy: f64,
}

/// Which of the hits: a word, or a number from 1.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq)]
#[serde(untagged)]
pub(crate) enum Hits {
    Word(HitWord),
    Number(u32),
}

#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HitWord {
    First,
    Last,
    All,
}

impl From<Hits> for Which {
    fn from(hits: Hits) -> Self {
        match hits {
            Hits::Word(HitWord::First) => Which::First,
            Hits::Word(HitWord::Last) => Which::Last,
            Hits::Word(HitWord::All) => Which::All,
            Hits::Number(number) => Which::Nth(number as usize),
        }
    }
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeamPlace {
    #[serde(default = "all_pages")]
    pub(crate) pages: String,
    #[serde(default)]
    pub(crate) side: Side,
    #[serde(default = "middle")]
    pub(crate) center: f64,
    #[serde(default)]
    pub(crate) group: u32,
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
pub(crate) struct DrawingPlace {
    pub(crate) page: u32,
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) strokes: Vec<Vec<[f32; 2]>>,
}

fn all_pages() -> String {
    "all".to_owned()
}

fn middle() -> f64 {
    0.5
}

/// A wish as it is written: which of its members are there says what kind it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    field: Option<String>,
    page: Option<u32>,
    pages: Option<String>,
    x: Option<f64>,
    y: Option<f64>,
    keyword: Option<String>,
    which: Option<Hits>,
    dx: Option<f64>,
    dy: Option<f64>,
    seam: Option<SeamPlace>,
    date: Option<PagePlace>,
    drawing: Option<DrawingPlace>,
}

impl TryFrom<Raw> for Place {
    type Error = &'static str;

    fn try_from(raw: Raw) -> Result<Self, Self::Error> {
        let offsets = raw.dx.is_none() && raw.dy.is_none() && raw.which.is_none();
        let point = raw.x.is_some() || raw.y.is_some();
        match raw {
            Raw { field: Some(field), page: None, pages: None, keyword: None, seam: None, date: None, drawing: None, .. } if offsets && !point => {
                Ok(Place::Field(FieldPlace { field }))
            }
            Raw { page: Some(page), x: Some(x), y: Some(y), field: None, pages: None, keyword: None, seam: None, date: None, drawing: None, .. } if offsets => {
                Ok(Place::Page(PagePlace { page, x, y }))
            }
            Raw { pages: Some(pages), x: Some(x), y: Some(y), field: None, page: None, keyword: None, seam: None, date: None, drawing: None, .. }
                if offsets =>
            {
                Ok(Place::Pages(PagesPlace { pages, x, y }))
            }
            Raw { keyword: Some(keyword), which, pages, dx, dy, field: None, page: None, seam: None, date: None, drawing: None, .. } if !point => {
                let which = which.unwrap_or(Hits::Word(HitWord::First));
                Ok(Place::Keyword(KeywordPlace { keyword, which, pages, dx: dx.unwrap_or_default(), dy: dy.unwrap_or_default() }))
            }
            Raw { seam: Some(seam), field: None, page: None, pages: None, keyword: None, date: None, drawing: None, .. } if offsets && !point => {
                Ok(Place::Seam { seam })
            }
            Raw { date: Some(date), field: None, page: None, pages: None, keyword: None, seam: None, drawing: None, .. } if offsets && !point => {
                Ok(Place::Date { date })
            }
            Raw { drawing: Some(drawing), field: None, page: None, pages: None, keyword: None, seam: None, date: None, .. } if offsets && !point => {
                Ok(Place::Drawing { drawing })
            }
            _ => Err("placements: each is a field, a page with x and y, pages with x and y, a keyword, a seam or a date"),
        }
    }
}

/// Checks every wish, and that there are not too many.
///
/// # Errors
/// `request-malformed` with what is wrong.
pub(crate) fn check(places: &[Place]) -> Result<(), Failure> {
    if places.len() > PLACES_MAX {
        return Err(too_many(places.len()));
    }
    if places.iter().filter(|place| matches!(place, Place::Field(_))).count() > 1 {
        return Err(malformed("placements: a signature has one field"));
    }
    places.iter().try_for_each(|place| wrong(place).map_or(Ok(()), |detail| Err(malformed(detail))))
}

/// There are more places than one stamp may have.
pub(crate) fn too_many(count: usize) -> Failure {
    malformed(&format!("placements: {count} places, {PLACES_MAX} at most"))
}

fn malformed(detail: &str) -> Failure {
    Failure::new(Code::RequestMalformed).with("detail", plain(detail, 120))
}

/// What is wrong with a wish, where something is.
fn wrong(place: &Place) -> Option<&'static str> {
    let text = |text: &str| text.is_empty() || text.chars().count() > TEXT_MAX;
    let far = |values: &[f64]| values.iter().any(|value| !value.is_finite() || value.abs() > FAR_MM);
    let point = |page: u32, x: f64, y: f64| {
        if page == 0 { Some("placements: page counts from 1") } else { far(&[x, y]).then_some("placements: x and y are millimetres on the page") }
    };
    match place {
        Place::Field(place) => text(&place.field).then_some("placements: field has no name, or too long a one"),
        Place::Page(place) | Place::Date { date: place } => point(place.page, place.x, place.y),
        Place::Pages(place) => text(&place.pages).then_some("placements: pages is empty or too long").or_else(|| point(1, place.x, place.y)),
        Place::Keyword(place) => {
            if text(&place.keyword) || place.pages.as_deref().is_some_and(text) {
                Some("placements: keyword or pages is empty or too long")
            } else if place.which == Hits::Number(0) {
                Some("placements: which counts from 1")
            } else {
                far(&[place.dx, place.dy]).then_some("placements: dx and dy are millimetres")
            }
        }
        Place::Seam { seam } => {
            if text(&seam.pages) {
                Some("placements: pages is empty or too long")
            } else {
                (!(0.0..=1.0).contains(&seam.center)).then_some("placements: center is 0 to 1")
            }
        }
        Place::Drawing { drawing } => point(drawing.page, drawing.x, drawing.y).or_else(|| {
            let points = drawing.strokes.iter().map(Vec::len).fold(0_usize, usize::saturating_add);
            let outside = drawing.strokes.iter().flatten().flatten().any(|part| !(0.0..=1.0).contains(part));
            let size = far(&[drawing.width, drawing.height]) || drawing.width <= 0.0 || drawing.height <= 0.0;
            (drawing.strokes.len() > STROKES_MAX || points == 0 || points > POINTS_MAX || outside || size).then_some("placements: the drawing is not usable")
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Place, Failure> {
        let place: Place = serde_json::from_str(json).map_err(|error| malformed(&error.to_string()))?;
        check(std::slice::from_ref(&place)).map(|()| place)
    }

    #[test]
    fn every_kind_of_place_is_read_and_written_the_same_way() {
        for json in [
            r#"{"field":"公章"}"#,
            r#"{"page":1,"x":10.0,"y":20.5}"#,
            r#"{"pages":"1-3,last","x":10.0,"y":20.0}"#,
            r#"{"keyword":"（盖章）","which":"all","pages":"1-2","dx":-3.5,"dy":0.0}"#,
            r#"{"keyword":"盖章","which":2,"dx":0.0,"dy":0.0}"#,
            r#"{"seam":{"pages":"2-last","side":"left","center":0.25,"group":10}}"#,
            r#"{"date":{"page":2,"x":10.0,"y":20.0}}"#,
            r#"{"drawing":{"page":1,"x":1.0,"y":2.0,"width":40.0,"height":15.0,"strokes":[[[0.0,0.5],[1.0,0.5]]]}}"#,
        ] {
            let place = read(json).unwrap_or_else(|failure| panic!("{json}: {failure:?}"));
            assert_eq!(serde_json::to_string(&place).unwrap(), json);
        }
        // What is left out has its usual value.
        assert_eq!(read(r#"{"keyword":"章"}"#).unwrap(), read(r#"{"keyword":"章","which":"first","dx":0,"dy":0}"#).unwrap());
        assert_eq!(read(r#"{"seam":{}}"#).unwrap(), read(r#"{"seam":{"pages":"all","side":"right","center":0.5,"group":0}}"#).unwrap());
    }

    #[test]
    fn a_place_that_makes_no_sense_is_refused() {
        for json in [
            "{}",
            r#"{"field":""}"#,
            r#"{"field":"a","page":1,"x":1,"y":1}"#,
            r#"{"field":"a","which":"all"}"#,
            r#"{"page":0,"x":1,"y":1}"#,
            r#"{"page":1,"x":1}"#,
            r#"{"page":1.5,"x":1,"y":1}"#,
            r#"{"page":1,"x":1e9,"y":1}"#,
            r#"{"pages":"","x":1,"y":1}"#,
            r#"{"pages":"1","page":1,"x":1,"y":1}"#,
            r#"{"keyword":""}"#,
            r#"{"keyword":"章","which":0}"#,
            r#"{"keyword":"章","which":"some"}"#,
            r#"{"keyword":"章","x":1,"y":1}"#,
            r#"{"keyword":"章","dx":1e300}"#,
            r#"{"seam":{"center":1.5}}"#,
            r#"{"seam":{"side":"top"}}"#,
            r#"{"seam":{"width":40}}"#,
            r#"{"date":{"page":1,"x":1}}"#,
            r#"{"drawing":{"page":1,"x":1,"y":1,"width":40,"height":10,"strokes":[]}}"#,
            r#"{"drawing":{"page":1,"x":1,"y":1,"width":40,"height":10,"strokes":[[[0.5,1.5]]]}}"#,
            r#"{"drawing":{"page":1,"x":1,"y":1,"width":-1,"height":10,"strokes":[[[0.5,0.5]]]}}"#,
        ] {
            assert_eq!(read(json).err().map(|failure| failure.code), Some(Code::RequestMalformed), "{json}");
        }
        let long = format!(r#"{{"keyword":"{}"}}"#, "章".repeat(TEXT_MAX + 1));
        assert!(read(&long).is_err());
        let many = vec![Place::Page(PagePlace { page: 1, x: 1.0, y: 1.0 }); PLACES_MAX + 1];
        assert!(check(&many).is_err());
        assert!(check(many.get(..PLACES_MAX).unwrap()).is_ok());
        let field = || Place::Field(FieldPlace { field: "a".to_owned() });
        assert!(check(&[field(), field()]).is_err());
    }
}
