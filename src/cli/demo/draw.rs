//! The moving picture: doors with their lights, taps as they are decided, the cloud and what it still waits for.

use super::scene::{DoorView, Light, Row, Scene};
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Style, Stylize as _},
    text::{Line, Span},
    widgets::{Block, BorderType, Cell, Paragraph, Row as TableRow, Sparkline, Table},
};

/// From this width on there is room for the time and for whole words.
const WIDE: u16 = 100;

/// Draws the whole scene. Without colours, words and signs say the same.
pub(super) fn draw(frame: &mut Frame<'_>, scene: &Scene, colours: bool) {
    let [head, doors, taps, foot, keys] = Layout::vertical([
        Constraint::Length(if scene.page.is_empty() { 2 } else { 3 }),
        Constraint::Length(5),
        Constraint::Min(4),
        Constraint::Length(4),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    heading(frame, head, scene);
    row_of_doors(frame, doors, scene);
    table(frame, taps, scene);
    footer(frame, foot, scene);
    frame.render_widget(help(scene), keys);
    if !colours {
        for cell in &mut frame.buffer_mut().content {
            cell.set_fg(Color::Reset).set_bg(Color::Reset);
        }
    }
}

fn heading(frame: &mut Frame<'_>, area: Rect, scene: &Scene) {
    let seconds = scene.now.as_secs();
    let clock = match scene.total {
        Some(total) => format!("{} of {} s ", seconds.min(total.as_secs()), total.as_secs()),
        None => format!("{seconds} s "),
    };
    let title = Line::from(vec![
        Span::styled(" Doorward ", Style::new().bold().reversed()),
        Span::raw("  a simulated site, a real gateway: decisions as they happen"),
    ]);
    let caption = Line::styled(format!(" {}", scene.caption), Style::new().italic());
    let page = Line::styled(format!(" {}", scene.page), Style::new().dim());
    frame.render_widget(Paragraph::new(vec![title, caption, page]), area);
    frame.render_widget(Line::styled(clock, Style::new().dim()).right_aligned(), area);
}

fn row_of_doors(frame: &mut Frame<'_>, area: Rect, scene: &Scene) {
    let share = u32::try_from(scene.doors.len().max(1)).unwrap_or(1);
    let cells = Layout::horizontal(scene.doors.iter().map(|_| Constraint::Ratio(1, share))).split(area);
    for (door, cell) in scene.doors.iter().zip(cells.iter()) {
        one_door(frame, *cell, door);
    }
}

fn one_door(frame: &mut Frame<'_>, area: Rect, door: &DoorView) {
    let (colour, lamp, word) = match door.light {
        Light::Idle => (Color::Blue, "●", "waiting"),
        Light::Green => (Color::Green, "●", "come in"),
        Light::Red => (Color::Red, "●", "no entry"),
        Light::Amber => (Color::Yellow, "●", "not now"),
        Light::Missing => (Color::Reset, " ", "has no light"),
    };
    let lit = !matches!(door.light, Light::Idle | Light::Missing);
    let light = match lit {
        true => Style::new().fg(colour).bold(),
        false => Style::new().dim(),
    };
    let strike = match door.released {
        true => Line::styled("▕   ▏ released", Style::new().fg(Color::Green).bold()),
        false => Line::from("▕███▏ secured"),
    };
    let last = match &door.last {
        Some((who, true)) => Line::from(vec!["✓ ".fg(Color::Green), Span::raw(who.as_str())]),
        Some((who, false)) => Line::from(vec!["✗ ".fg(Color::Red), Span::raw(who.as_str())]),
        None => Line::default(),
    };
    let lines = vec![
        Line::from(vec![
            Span::styled(format!("{lamp} "), Style::new().fg(colour)),
            Span::styled(word, light),
        ]),
        strike,
        last,
    ];
    let edge = match (lit, door.released) {
        (true, _) => Style::new().fg(colour),
        (false, true) => Style::new().fg(Color::Green),
        (false, false) => Style::new().dim(),
    };
    let block = panel(edge)
        .title(Span::styled(
            format!(" {} ", door.name),
            Style::new().not_dim().bold(),
        ))
        .title_bottom(Line::styled(format!(" {} ", door.reader), Style::new().dim()).right_aligned());
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn panel(edge: Style) -> Block<'static> {
    Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(edge)
}

fn table(frame: &mut Frame<'_>, area: Rect, scene: &Scene) {
    let wide = area.width >= WIDE;
    let columns: [(&str, Constraint); 7] = [
        ("time", Constraint::Length(8)),
        ("door", Constraint::Length(12)),
        ("who", Constraint::Length(13)),
        ("", Constraint::Length(if wide { 9 } else { 1 })),
        ("why", Constraint::Min(24)),
        ("cloud", Constraint::Length(5)),
        ("answered", Constraint::Length(8)),
    ];
    let columns = columns.into_iter().skip(usize::from(!wide));
    let (names, widths): (Vec<&str>, Vec<Constraint>) = columns.unzip();
    let header = TableRow::new(names).style(Style::new().bold());
    let table = Table::new(scene.rows.iter().map(|row| tap(row, wide)), widths)
        .header(header)
        .block(panel(Style::new().dim()).title(Span::styled(" taps ", Style::new().not_dim().bold())));
    frame.render_widget(table, area);
}

fn tap(row: &Row, wide: bool) -> TableRow<'_> {
    let (word, colour) = match (row.granted, wide) {
        (true, true) => ("✓ granted", Color::Green),
        (true, false) => ("✓", Color::Green),
        (false, true) => ("✗ refused", Color::Red),
        (false, false) => ("✗", Color::Red),
    };
    let cloud = match row.offline {
        true => Cell::from("away").style(Style::new().fg(Color::Red)),
        false => Cell::from("here").style(Style::new().dim()),
    };
    let after = row.answered_in.map_or_else(
        || "no light".to_owned(),
        |after| format!("{:.1} ms", after.as_secs_f64() * 1e3),
    );
    let cells = [
        Cell::from(row.time.as_str()),
        Cell::from(row.door.as_str()),
        Cell::from(row.who.as_str()),
        Cell::from(word).style(Style::new().fg(colour)),
        Cell::from(row.words.as_str()),
        cloud,
        Cell::from(Line::from(after).right_aligned()),
    ];
    TableRow::new(cells.into_iter().skip(usize::from(!wide)))
}

fn footer(frame: &mut Frame<'_>, area: Rect, scene: &Scene) {
    let [cloud, times] =
        Layout::horizontal([Constraint::Percentage(60), Constraint::Percentage(40)]).areas(area);
    check_ins(frame, cloud, scene);
    // One slow answer must not flatten all others.
    let most = u64::try_from(scene.median().as_micros() * 4).unwrap_or(u64::MAX);
    let data: Vec<u64> = scene.times.iter().map(|time| (*time).min(most)).collect();
    let title = format!(
        " card to light: middle {:.1} ms ",
        scene.median().as_secs_f64() * 1e3
    );
    let room = usize::from(times.width.saturating_sub(2));
    let newest = data.get(data.len().saturating_sub(room)..).unwrap_or_default();
    let line = Sparkline::default()
        .block(panel(Style::new().dim()).title(Span::styled(title, Style::new().not_dim())))
        .style(Style::new().fg(Color::Cyan))
        .data(newest);
    frame.render_widget(line, times);
}

fn check_ins(frame: &mut Frame<'_>, area: Rect, scene: &Scene) {
    let (state, colour) = if scene.cloud_up {
        (" the cloud is here ", Color::Green)
    } else {
        (" the cloud is away ", Color::Red)
    };
    let block = panel(Style::new().fg(colour)).title(Span::styled(state, Style::new().bold()));
    let [bar, words] = Layout::vertical([Constraint::Length(1); 2]).areas(block.inner(area));
    frame.render_widget(block, area);
    let full = u64::from(bar.width);
    let done = (scene.arrived * full)
        .checked_div(scene.owed)
        .unwrap_or(0)
        .min(full);
    let part = |sign: &str, times: u64| sign.repeat(usize::try_from(times).unwrap_or(0));
    let line = Line::from(vec![
        Span::styled(part("█", done), Style::new().fg(colour)),
        Span::styled(part("░", full - done), Style::new().dim()),
    ]);
    frame.render_widget(line, bar);
    let mqtt = match (scene.heard, &scene.no_broker) {
        (Some(heard), _) => format!(" · {heard} on MQTT"),
        (None, Some(_)) => " · no MQTT here".into(),
        (None, None) => String::new(),
    };
    let waiting = match scene.waiting() {
        0 => "none waiting".to_owned(),
        waiting => format!("{waiting} waiting"),
    };
    let text = format!("{}/{} check-ins, {waiting}{mqtt}", scene.arrived, scene.owed);
    frame.render_widget(Line::from(text), words);
}

fn help(scene: &Scene) -> Line<'static> {
    let cloud = if scene.cloud_up {
        " take the cloud away   "
    } else {
        " bring the cloud back   "
    };
    let keys: &[(&'static str, &'static str)] = match scene.ending {
        true => &[("q", " leave without waiting")],
        false => &[
            ("c", cloud),
            ("space", " tap now   "),
            ("q", " end, with a summary"),
        ],
    };
    let spans = keys.iter().flat_map(|(key, what)| {
        [
            Span::styled(format!(" {key} "), Style::new().reversed()),
            Span::from(*what).dim(),
        ]
    });
    Line::from_iter(std::iter::once(Span::raw(" ")).chain(spans))
}

#[cfg(test)]
mod tests {
    use super::{super::cast::SPOTS, *};
    use ratatui::{Terminal, backend::TestBackend};
    use std::time::Duration;

    fn scene() -> Scene {
        let mut scene = Scene {
            doors: SPOTS.map(|spot| DoorView::new(spot.name, spot.reader)).into(),
            taps: 1,
            owed: 3,
            arrived: 1,
            heard: Some(12),
            ..Scene::default()
        };
        let row = |door: &str, who: &str, granted, words: &str, answered_in| Row {
            time: "14:10:02".into(),
            door: door.into(),
            who: who.into(),
            granted,
            words: words.into(),
            answered_in,
            offline: true,
        };
        let after = Some(Duration::from_micros(12_300));
        let (amber, hold) = (
            Some((Light::Amber, Duration::from_secs(1))),
            Duration::from_secs(5),
        );
        scene.answered(
            row(
                "Meeting room",
                "Dmitri Volkov",
                false,
                "booking starts 14:25",
                after,
            ),
            amber,
            None,
        );
        scene.answered(
            row("Side door", "Greta Lund", true, "plan Team office", None),
            None,
            Some(hold),
        );
        scene
    }

    #[test]
    fn the_picture_shows_doors_taps_and_debt_on_small_and_large_terminals() {
        for (width, height) in [(80, 24), (120, 36)] {
            let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
            terminal.draw(|frame| draw(frame, &scene(), true)).unwrap();
            let picture = terminal.backend().to_string();
            for part in [
                "Front door",
                "Meeting room",
                "not now",
                "Side door",
                "has no light",
                "released",
                "WRADAPT",
                "✗ Dmitri Volkov",
                "booking starts 14:25",
                "away",
                "12.3 ms",
                "no light",
                "the cloud is away",
                "1/3 check-ins, 2 waiting · 12 on MQTT",
                "bring the cloud back",
                "end, with a summary",
            ] {
                assert!(picture.contains(part), "{part} is missing in\n{picture}");
            }
        }
    }

    #[test]
    fn without_colours_there_are_none() {
        let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
        let mut coloured = |colours| {
            terminal.draw(|frame| draw(frame, &scene(), colours)).unwrap();
            let cells = &terminal.backend().buffer().content;
            cells
                .iter()
                .any(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset)
        };
        assert!(coloured(true));
        assert!(!coloured(false));
    }

    #[test]
    fn a_terminal_that_is_far_too_small_is_survived() {
        for (width, height) in [(1, 1), (10, 3), (79, 5)] {
            let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
            terminal.draw(|frame| draw(frame, &scene(), true)).unwrap();
        }
    }
}
