//! The moving picture: doors with their lights, taps as they are decided, the cloud and what it still waits for.

use super::scene::{DoorView, Light, Row, Scene};
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Modifier, Style, Stylize as _},
    text::{Line, Span},
    widgets::{Block, BorderType, Cell, Gauge, Paragraph, Row as TableRow, Sparkline, Table},
};

/// Draws the whole scene.
pub(super) fn draw(frame: &mut Frame<'_>, scene: &Scene) {
    let [head, doors, taps, foot, keys] = Layout::vertical([
        Constraint::Length(2),
        Constraint::Length(6),
        Constraint::Min(4),
        Constraint::Length(4),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    heading(frame, head, scene);
    row_of_doors(frame, doors, scene);
    table(frame, taps, scene);
    footer(frame, foot, scene);
    frame.render_widget(Paragraph::new(help(scene)).dim(), keys);
}

fn heading(frame: &mut Frame<'_>, area: Rect, scene: &Scene) {
    let seconds = scene.now.as_secs();
    let clock = match scene.total {
        Some(total) => format!("{seconds} of {} s", total.as_secs()),
        None => format!("{seconds} s"),
    };
    let title = Line::from(vec![
        Span::styled(" Doorward ", Style::new().bold().reversed()),
        Span::raw("  a simulated site: real serial lines, real database, real decisions   "),
        Span::styled(clock, Style::new().dim()),
    ]);
    let caption = Line::styled(format!(" {}", scene.caption), Style::new().italic());
    frame.render_widget(Paragraph::new(vec![title, caption]), area);
}

fn row_of_doors(frame: &mut Frame<'_>, area: Rect, scene: &Scene) {
    let share = u32::try_from(scene.doors.len().max(1)).unwrap_or(1);
    let cells = Layout::horizontal(scene.doors.iter().map(|_| Constraint::Ratio(1, share))).split(area);
    for (door, cell) in scene.doors.iter().zip(cells.iter()) {
        one_door(frame, *cell, door);
    }
}

fn one_door(frame: &mut Frame<'_>, area: Rect, door: &DoorView) {
    let (colour, word) = match door.light {
        Light::Idle => (Color::Blue, "waiting"),
        Light::Green => (Color::Green, "come in"),
        Light::Red => (Color::Red, "no"),
        Light::Amber => (Color::Yellow, "not now"),
        Light::Dark => (Color::DarkGray, "no reader"),
    };
    let leaf = if door.released {
        "▕   ▏ open"
    } else {
        "▕███▏ secured"
    };
    let lines = vec![
        Line::from(vec![
            Span::styled("● ", Style::new().fg(colour)),
            Span::styled(word, Style::new().fg(colour).bold()),
        ]),
        Line::from(leaf),
        Line::styled(door.last.clone(), Style::new().dim()),
    ];
    let frame_style = if door.light == Light::Idle {
        Style::new().dim()
    } else {
        Style::new().fg(colour)
    };
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(frame_style)
        .title(format!(" {} ", door.name));
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn table(frame: &mut Frame<'_>, area: Rect, scene: &Scene) {
    let header = TableRow::new(["time", "door", "who", "decision", "why", "answered in"])
        .style(Style::new().add_modifier(Modifier::BOLD));
    let widths = [
        Constraint::Length(8),
        Constraint::Length(14),
        Constraint::Length(16),
        Constraint::Length(9),
        Constraint::Min(24),
        Constraint::Length(11),
    ];
    let table = Table::new(scene.rows.iter().map(tap), widths)
        .header(header)
        .block(Block::bordered().border_type(BorderType::Rounded).title(" taps "));
    frame.render_widget(table, area);
}

fn tap(row: &Row) -> TableRow<'_> {
    let (word, colour) = if row.granted {
        ("granted", Color::Green)
    } else {
        ("refused", Color::Red)
    };
    let offline = if row.offline { " (cloud away)" } else { "" };
    TableRow::new([
        Cell::from(row.time.as_str()),
        Cell::from(row.door.as_str()),
        Cell::from(row.who.as_str()),
        Cell::from(word).style(Style::new().fg(colour)),
        Cell::from(format!("{}{offline}", row.words)),
        Cell::from(format!("{:.1} ms", row.answered_in.as_secs_f64() * 1e3)),
    ])
}

fn footer(frame: &mut Frame<'_>, area: Rect, scene: &Scene) {
    let [cloud, times] =
        Layout::horizontal([Constraint::Percentage(60), Constraint::Percentage(40)]).areas(area);
    let (state, colour) = if scene.cloud_up {
        ("cloud here", Color::Green)
    } else {
        ("cloud away", Color::Red)
    };
    #[expect(clippy::cast_precision_loss, reason = "a demo's counts are small")]
    let ratio = if scene.owed == 0 {
        1.0
    } else {
        scene.arrived as f64 / scene.owed as f64
    };
    let heard = scene
        .heard
        .map_or(String::new(), |heard| format!(" · {heard} events on MQTT"));
    let label = format!(
        "{} of {} check-ins arrived, {} waiting{heard}",
        scene.arrived,
        scene.owed,
        scene.waiting()
    );
    let gauge = Gauge::default()
        .block(
            Block::bordered()
                .border_type(BorderType::Rounded)
                .title(Span::styled(format!(" {state} "), Style::new().fg(colour).bold())),
        )
        .gauge_style(Style::new().fg(colour))
        .ratio(ratio.clamp(0.0, 1.0))
        .label(label);
    frame.render_widget(gauge, cloud);
    let data: Vec<u64> = scene.times.iter().copied().collect();
    let title = format!(
        " card to light, middle {:.1} ms ",
        scene.median().as_secs_f64() * 1e3
    );
    let line = Sparkline::default()
        .block(Block::bordered().border_type(BorderType::Rounded).title(title))
        .style(Style::new().fg(Color::Cyan))
        .data(data);
    frame.render_widget(line, times);
}

fn help(scene: &Scene) -> String {
    let cloud = if scene.cloud_up {
        "take the cloud away"
    } else {
        "bring the cloud back"
    };
    format!(" c {cloud} · space tap again · q end")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::{Terminal, backend::TestBackend};
    use std::time::Duration;

    #[test]
    fn the_picture_shows_door_tap_and_debt() {
        let door = DoorView {
            name: "Front door".into(),
            ..DoorView::default()
        };
        let mut scene = Scene {
            doors: vec![door],
            taps: 1,
            owed: 3,
            arrived: 1,
            ..Scene::default()
        };
        let row = Row {
            time: "14:10:02".into(),
            door: "Front door".into(),
            who: "Ben Okafor".into(),
            granted: false,
            reason: "not_yet".into(),
            words: "booking starts 14:25".into(),
            answered_in: Duration::from_micros(12_300),
            offline: true,
        };
        scene.answered(row, Light::Amber);
        let mut terminal = Terminal::new(TestBackend::new(110, 24)).unwrap();
        terminal.draw(|frame| draw(frame, &scene)).unwrap();
        let picture = terminal.backend().to_string();
        for part in [
            "Front door",
            "not now",
            "booking starts 14:25 (cloud away)",
            "12.3 ms",
            "1 of 3 check-ins arrived, 2 waiting",
        ] {
            assert!(picture.contains(part), "{part} is missing in\n{picture}");
        }
    }
}
