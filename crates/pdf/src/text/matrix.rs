//! Transformations of the plane (ISO 32000-2, 8.3.3), as six numbers.

use crate::page::Rectangle;

/// `x' = a·x + c·y + e`, `y' = b·x + d·y + f`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Matrix(pub(super) [f64; 6]);

impl Matrix {
    pub(super) const IDENTITY: Matrix = Matrix([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);

    pub(super) fn translate(x: f64, y: f64) -> Self {
        Matrix([1.0, 0.0, 0.0, 1.0, x, y])
    }

    /// First `self`, then `next`: the product as the standard writes it, `self × next`.
    pub(super) fn then(&self, next: &Matrix) -> Self {
        let [a, b, c, d, e, f] = self.0;
        let [na, nb, nc, nd, ne, nf] = next.0;
        Matrix([a * na + b * nc, a * nb + b * nd, c * na + d * nc, c * nb + d * nd, e * na + f * nc + ne, e * nb + f * nd + nf])
    }

    pub(super) fn point(&self, x: f64, y: f64) -> (f64, f64) {
        let [a, b, c, d, e, f] = self.0;
        (a * x + c * y + e, b * x + d * y + f)
    }

    /// A direction, not moved.
    pub(super) fn vector(&self, x: f64, y: f64) -> (f64, f64) {
        let [a, b, c, d, _, _] = self.0;
        (a * x + c * y, b * x + d * y)
    }

    /// The axis-aligned box around a rectangle's four corners; `None` where a corner is not finite.
    pub(super) fn bounds(&self, rect: &Rectangle) -> Option<Rectangle> {
        let corners =
            [self.point(rect.left, rect.bottom), self.point(rect.right, rect.bottom), self.point(rect.left, rect.top), self.point(rect.right, rect.top)];
        let mut bounds: Option<Rectangle> = None;
        for (x, y) in corners {
            if !x.is_finite() || !y.is_finite() {
                return None;
            }
            let point = Rectangle::new(x, y, x, y);
            bounds = Some(bounds.map_or(point, |bounds| around(&bounds, &point)));
        }
        bounds
    }
}

/// The smallest rectangle that holds both.
pub(super) fn around(one: &Rectangle, other: &Rectangle) -> Rectangle {
    Rectangle { left: one.left.min(other.left), bottom: one.bottom.min(other.bottom), right: one.right.max(other.right), top: one.top.max(other.top) }
}
