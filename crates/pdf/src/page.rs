//! Pages: the page tree as a flat list, and one page with what it inherits (ISO 32000-2, 7.7.3).
//!
//! The tree is walked, not believed: wrong counts, missing types and loops are tolerated. Only a level whose count agrees
//! with its kids, some of which are looked at, is taken as it is, so that a document of thousands of pages opens without
//! reading each of them. Where such a kid turns out to be no page, the whole tree is walked.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::document::Document;
use crate::error::{PdfError, Result, tolerate};
use crate::object::{Dictionary, Object, Reference};
use crate::source::Source;

/// From this many kids on, a level that looks right is not read kid by kid.
const LARGE_LEVEL: usize = 8;

/// A rectangle with its corners in order: left ≤ right, bottom ≤ top. In default user space units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rectangle {
    /// Smallest x.
    pub left: f64,
    /// Smallest y.
    pub bottom: f64,
    /// Largest x.
    pub right: f64,
    /// Largest y.
    pub top: f64,
}

impl Rectangle {
    /// From two opposite corners, in any order.
    pub fn new(x1: f64, y1: f64, x2: f64, y2: f64) -> Self {
        Rectangle { left: x1.min(x2), bottom: y1.min(y2), right: x1.max(x2), top: y1.max(y2) }
    }

    /// Width in user space units.
    pub fn width(&self) -> f64 {
        self.right - self.left
    }

    /// Height in user space units.
    pub fn height(&self) -> f64 {
        self.top - self.bottom
    }

    /// True where it has width and height.
    pub fn has_area(&self) -> bool {
        self.width() > 0.0 && self.height() > 0.0
    }

    /// The part that both cover, if there is one.
    pub fn intersection(&self, other: &Rectangle) -> Option<Rectangle> {
        let both = Rectangle {
            left: self.left.max(other.left),
            bottom: self.bottom.max(other.bottom),
            right: self.right.min(other.right),
            top: self.top.min(other.top),
        };
        (both.left < both.right && both.bottom < both.top).then_some(both)
    }

    /// As the array of four numbers that PDF writes.
    pub fn to_object(&self) -> Object {
        Object::numbers(&[self.left, self.bottom, self.right, self.top])
    }
}

/// One page, inherited attributes resolved.
#[derive(Debug, Clone)]
pub struct Page {
    /// Position in the document, from 0.
    pub index: usize,
    /// The page object.
    pub reference: Reference,
    /// The page's own dictionary, without what it inherits.
    pub dictionary: Dictionary,
    /// `/MediaBox`; US Letter where the file has none that makes sense, as other readers take it.
    pub media_box: Rectangle,
    /// `/CropBox` cut to the media box; the media box where there is none. What viewers show.
    pub crop_box: Rectangle,
    /// `/Rotate` in degrees clockwise: 0, 90, 180 or 270.
    pub rotate: u16,
    /// `/UserUnit`: how many 1/72 inch one unit is; 1 unless the page says otherwise.
    pub user_unit: f64,
    /// `/Resources`, own or inherited, resolved.
    pub resources: Dictionary,
    /// The resources' object, where they are an indirect object.
    pub resources_reference: Option<Reference>,
    /// True where the resources come from an ancestor (they are then shared with other pages).
    pub resources_inherited: bool,
}

/// The flattened tree.
#[derive(Debug)]
pub(crate) struct PageList {
    /// The page's object (absent for a page that is no indirect object), and the node above it.
    leaves: Vec<(Option<Reference>, usize)>,
    /// Dictionaries of the nodes with the node above; the root is its own.
    nodes: Vec<(Dictionary, usize)>,
    /// Position of each page object.
    positions: HashMap<Reference, usize>,
    /// Every leaf was read.
    walked: bool,
}

impl<S: Source> Document<S> {
    /// Number of pages, counted as far as the tree is not consistent in itself.
    ///
    /// # Errors
    /// Read failures and budgets.
    pub fn page_count(&self) -> Result<usize> {
        Ok(self.page_list()?.leaves.len())
    }

    /// The pages' objects in order. A page that is no indirect object is left out.
    ///
    /// # Errors
    /// Read failures and budgets.
    pub fn page_references(&self) -> Result<Vec<Reference>> {
        Ok(self.page_list()?.leaves.iter().filter_map(|(reference, _)| *reference).collect())
    }

    /// The index of a page object.
    ///
    /// # Errors
    /// Read failures and budgets.
    pub fn page_index(&self, page: Reference) -> Result<Option<usize>> {
        Ok(self.page_list()?.positions.get(&page).copied())
    }

    /// The page at `index`, from 0.
    ///
    /// # Errors
    /// [`PdfError::Misuse`] beyond the last page; [`PdfError::Unsupported`] for a page that is no indirect object; read
    /// failures and budgets.
    pub fn page(&self, index: usize) -> Result<Page> {
        let mut list = self.page_list()?;
        let leaf = |list: &PageList| -> Result<(Reference, usize, Object)> {
            let (reference, node) = list.leaves.get(index).copied().ok_or(PdfError::misuse("the document has no such page"))?;
            let reference = reference.ok_or_else(|| PdfError::unsupported("a page that is no indirect object"))?;
            Ok((reference, node, self.get(reference)?))
        };
        let mut found = leaf(&list);
        if !list.walked && !found.as_ref().is_ok_and(|(_, _, page)| is_page(page)) {
            list = Arc::new(self.walk_pages(true)?);
            self.keep_pages(list.clone());
            found = leaf(&list);
        }
        let (reference, node, Object::Dictionary(dictionary)) = found? else { return Err(PdfError::Missing { what: "Page" }) };
        let inherited = |key: &str| -> Result<(Object, bool)> {
            let own = self.seek(&dictionary, key)?;
            if !own.is_null() {
                return Ok((own, false));
            }
            let mut at = node;
            while let Some((above, next)) = list.nodes.get(at) {
                let value = self.seek(above, key)?;
                if !value.is_null() {
                    return Ok((value, true));
                }
                if *next == at {
                    break;
                }
                at = *next;
            }
            Ok((Object::Null, false))
        };
        let letter = Rectangle::new(0.0, 0.0, 612.0, 792.0);
        let media_box = self.rectangle(&inherited("MediaBox")?.0)?.filter(Rectangle::has_area).unwrap_or(letter);
        let crop_box = self.rectangle(&inherited("CropBox")?.0)?.and_then(|crop| crop.intersection(&media_box)).unwrap_or(media_box);
        let rotate = inherited("Rotate")?.0.as_number().unwrap_or(0.0);
        let rotate = if rotate.rem_euclid(90.0) == 0.0 { rotate.rem_euclid(360.0) as u16 } else { 0 };
        let user_unit = self.seek(&dictionary, "UserUnit")?.as_number().filter(|unit| *unit > 0.0 && *unit < 1e6).unwrap_or(1.0);
        let (resources, resources_inherited) = inherited("Resources")?;
        let resources_reference = if resources_inherited { None } else { dictionary.value("Resources").as_reference() };
        let Object::Dictionary(resources) = resources else {
            return Ok(Page {
                index,
                reference,
                dictionary,
                media_box,
                crop_box,
                rotate,
                user_unit,
                resources: Dictionary::new(),
                resources_reference,
                resources_inherited,
            });
        };
        Ok(Page { index, reference, dictionary, media_box, crop_box, rotate, user_unit, resources, resources_reference, resources_inherited })
    }

    /// Four numbers as a rectangle.
    pub(crate) fn rectangle(&self, object: &Object) -> Result<Option<Rectangle>> {
        let Object::Array(elements) = tolerate(self.resolve(object), Object::Null)? else { return Ok(None) };
        let mut numbers = [0.0; 4];
        if elements.len() < 4 {
            return Ok(None);
        }
        for (place, element) in numbers.iter_mut().zip(&elements) {
            match tolerate(self.resolve(element), Object::Null)?.as_number() {
                Some(number) => *place = number,
                None => return Ok(None),
            }
        }
        let [x1, y1, x2, y2] = numbers;
        Ok(Some(Rectangle::new(x1, y1, x2, y2)))
    }

    pub(crate) fn page_list(&self) -> Result<Arc<PageList>> {
        if let Some(list) = self.kept_pages() {
            return Ok(list);
        }
        let list = Arc::new(self.walk_pages(false)?);
        self.keep_pages(list.clone());
        Ok(list)
    }

    /// `each`: no level is taken as it is.
    fn walk_pages(&self, each: bool) -> Result<PageList> {
        let mut list = PageList { leaves: Vec::new(), nodes: Vec::new(), positions: HashMap::new(), walked: true };
        let mut seen = HashSet::new();
        let mut visits = 0usize;
        // Kids still to look at, the next one last, with their node and depth.
        let mut open: Vec<(Object, usize, usize)> = vec![(self.catalog()?.value("Pages").clone(), 0, 0)];
        while let Some((kid, above, depth)) = open.pop() {
            visits += 1;
            if visits > self.budget().objects {
                return Err(PdfError::Budget { what: "objects" });
            }
            let reference = kid.as_reference();
            let Object::Dictionary(mut dictionary) = tolerate(self.resolve(&kid), Object::Null)? else { continue };
            let kids = match self.seek(&dictionary, "Kids")? {
                Object::Array(kids) if !dictionary.is("Type", "Page") => Some(kids),
                _ => None,
            };
            let Some(kids) = kids else {
                // A catalog may name its only page instead of a tree.
                let page = dictionary.is("Type", "Page");
                if page || (depth > 0 && !dictionary.is("Type", "Pages")) {
                    list.leaf(reference, above);
                }
                continue;
            };
            if reference.is_some_and(|reference| !seen.insert(reference)) {
                continue;
            }
            if depth >= self.budget().depth {
                return Err(PdfError::Budget { what: "depth" });
            }
            let count = self.seek(&dictionary, "Count")?.as_integer();
            dictionary.remove("Kids"); // kept for what pages inherit
            let node = list.nodes.len();
            list.nodes.push((dictionary, if depth == 0 { node } else { above }));
            if !each && count == i64::try_from(kids.len()).ok() && self.is_level_of_pages(&kids)? {
                list.walked = false;
                kids.iter().for_each(|kid| list.leaf(kid.as_reference(), node));
            } else {
                open.extend(kids.into_iter().rev().map(|kid| (kid, node, depth + 1)));
            }
        }
        Ok(list)
    }

    /// A level without doubles whose first, middle and last kid are pages.
    fn is_level_of_pages(&self, kids: &[Object]) -> Result<bool> {
        if kids.len() < LARGE_LEVEL {
            return Ok(false);
        }
        let mut seen = HashSet::new();
        if !kids.iter().all(|kid| kid.as_reference().is_some_and(|reference| seen.insert(reference))) {
            return Ok(false);
        }
        for at in [0, kids.len() / 2, kids.len() - 1] {
            let kid = tolerate(self.resolve(kids.get(at).unwrap_or(&Object::Null)), Object::Null)?;
            if !is_page(&kid) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// A dictionary that says it is a page.
fn is_page(object: &Object) -> bool {
    object.as_dictionary().is_some_and(|dictionary| dictionary.is("Type", "Page"))
}

impl PageList {
    fn leaf(&mut self, reference: Option<Reference>, node: usize) {
        if let Some(reference) = reference {
            self.positions.entry(reference).or_insert(self.leaves.len());
        }
        self.leaves.push((reference, node));
    }

    pub(crate) fn position(&self, reference: Reference) -> Option<usize> {
        self.positions.get(&reference).copied()
    }

    pub(crate) fn references(&self) -> impl Iterator<Item = (usize, Reference)> {
        self.leaves.iter().enumerate().filter_map(|(index, (reference, _))| reference.map(|reference| (index, reference)))
    }
}
