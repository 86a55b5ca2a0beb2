//! Single values as shapes: told apart by their form, and not by colour alone.
//!
//! The plot is stretched to the width that there is, and a shape must not be. So shapes lie in a drawing of their own
//! above it, placed by percentages.

use maud::{Markup, html};

use super::{Chart, Line, Stroke, number};

/// The form of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A filled disc.
    Disc,
    /// A ring.
    Ring,
    /// A cross.
    Cross,
    /// A filled triangle that stands on its side.
    Triangle,
    /// A filled square.
    Square,
    /// A filled square on its corner.
    Diamond,
}

impl Shape {
    /// The shape around a point.
    pub(crate) fn drawn(self) -> Markup {
        let (class, path) = match self {
            Shape::Disc => return html! { circle.full r="3.6" {} },
            Shape::Ring => return html! { circle.open r="3.6" {} },
            Shape::Cross => ("open", "M-4-4 4 4M4-4-4 4"),
            Shape::Triangle => ("full", "M0-5 5 4-5 4z"),
            Shape::Square => ("full", "M-3.6-3.6h7.2v7.2h-7.2z"),
            Shape::Diamond => ("full", "M0-5.4 5.4 0 0 5.4-5.4 0z"),
        };
        html! { path class=(class) d=(path) {} }
    }
}

impl Chart {
    /// The shapes of all lines that consist of them.
    pub(super) fn marks(&self) -> Markup {
        let shaped: Vec<(usize, &Line, Shape)> = self
            .lines
            .iter()
            .enumerate()
            .filter_map(|(index, line)| match line.stroke {
                Stroke::Marks(shape) => Some((index, line, shape)),
                _ => None,
            })
            .collect();
        html! {
            @if !shaped.is_empty() {
                svg.marks height=(self.height) aria-hidden="true" {
                    @for (index, line, shape) in shaped {
                        g class={ "mark c" (line.colour) } data-line=(index) {
                            @for (x, y) in line.points.iter().filter_map(|(x, y)| Some((*x, (*y)?))) {
                                svg x={ (number(self.x.0.place(x) * 100.0, 2)) "%" } y=(number(f64::from(self.height) * (1.0 - self.y.0.place(y)), 1)) {
                                    (shape.drawn())
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
