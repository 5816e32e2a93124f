//! Time zones by Windows' id and by IANA name.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::load::rows;

/// A time zone.
#[derive(Debug, PartialEq, Eq)]
pub struct Zone {
    /// The id that Setup takes.
    pub id: &'static str,
    /// The IANA zone that stands for it.
    pub iana: &'static str,
    /// Further IANA zones.
    pub further: &'static str,
    /// Offset of standard time.
    pub offset: &'static str,
    /// A note.
    pub note: &'static str,
}

/// How a zone was named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZoneName {
    /// By its id: Setup takes it.
    Id(&'static Zone),
    /// By an IANA name: Setup does not know it, we do.
    Iana(&'static Zone),
}

/// All zones.
pub fn zones() -> &'static [Zone] {
    static ZONES: OnceLock<Vec<Zone>> = OnceLock::new();
    ZONES.get_or_init(|| {
        rows(include_str!("../../data/timezones.tsv"))
            .skip(1)
            .map(|cells| Zone {
                id: cells.get(0),
                iana: cells.get(1),
                further: cells.get(2),
                offset: cells.get(3),
                note: cells.get(4),
            })
            .collect()
    })
}

/// The zone of a name, case not regarded. The id goes before the IANA name, as in `UTC`.
pub fn find_zone(name: &str) -> Option<ZoneName> {
    static NAMES: OnceLock<HashMap<String, ZoneName>> = OnceLock::new();
    let names = NAMES.get_or_init(|| {
        let mut names = HashMap::new();
        for zone in zones() {
            for iana in zone
                .further
                .split(' ')
                .chain([zone.iana])
                .filter(|name| !name.is_empty())
            {
                names.insert(iana.to_ascii_lowercase(), ZoneName::Iana(zone));
            }
        }
        for zone in zones() {
            names.insert(zone.id.to_ascii_lowercase(), ZoneName::Id(zone));
        }
        names
    });
    names.get(&name.trim().to_ascii_lowercase()).copied()
}

/// The ids that a wrong name may have meant: by likeness, by the city or the offset in a display name such as
/// `(UTC+09:00) Seoul`.
pub(crate) fn guess_zone(name: &str) -> Option<&'static Zone> {
    let name = name.trim().trim_end_matches("_dstoff");
    if let Some(ZoneName::Id(zone) | ZoneName::Iana(zone)) = find_zone(name) {
        return Some(zone);
    }
    by_city(name).or_else(|| {
        if offset(name).is_some() {
            return None;
        }
        let id = reseal_diag::nearest(name, zones().iter().map(|zone| zone.id))?;
        zones().iter().find(|zone| zone.id == id)
    })
}

/// The ids of the zones that are as far from UTC as a name such as `UTC+1` or `(GMT+01:00) Berlin` says.
pub(crate) fn zones_at_offset_of(name: &str) -> Vec<&'static str> {
    let Some(offset) = offset(name) else {
        return Vec::new();
    };
    let zones = zones().iter().filter(|zone| zone.offset == offset);
    zones.map(|zone| zone.id).collect()
}

/// `+01:00` of `UTC+1`.
fn offset(name: &str) -> Option<String> {
    let name = name.trim().trim_start_matches('(');
    let rest = name
        .strip_prefix("UTC")
        .or_else(|| name.strip_prefix("GMT"))?
        .trim_start();
    let sign = rest.chars().next().filter(|sign| matches!(sign, '+' | '-'))?;
    let digits = rest.get(1..)?.split(|c: char| !c.is_ascii_digit() && c != ':').next()?;
    let (hours, minutes) = digits.split_once(':').unwrap_or((digits, "00"));
    let hours: u8 = hours.parse().ok()?;
    Some(format!("{sign}{hours:02}:{minutes}"))
}

/// The zone one of whose IANA names ends in a city of the display name.
fn by_city(name: &str) -> Option<&'static Zone> {
    let cities = name.split_once(')').map(|(_, cities)| cities)?;
    cities
        .split(',')
        .map(|city| city.trim().replace(' ', "_"))
        .find_map(|city| {
            zones().iter().find(|zone| {
                zone.further.split(' ').chain([zone.iana]).any(|iana| {
                    iana.rsplit('/')
                        .next()
                        .is_some_and(|last| last.eq_ignore_ascii_case(&city))
                })
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_of_an_offset_are_listed() {
        assert!(zones_at_offset_of("UTC+1").contains(&"W. Europe Standard Time"));
        assert_eq!(zones_at_offset_of("(GMT+05:45) Nowhere"), ["Nepal Standard Time"]);
        assert!(zones_at_offset_of("UTC+").is_empty() && zones_at_offset_of("GMT Standard").is_empty());
        assert_eq!(guess_zone("UTC+1"), None);
        assert_eq!(guess_zone("(UTC+09:00) Seoul").unwrap().id, "Korea Standard Time");
    }

    #[test]
    fn zones_are_found_by_either_name() {
        let id = |name: &str| match find_zone(name) {
            Some(ZoneName::Id(zone)) => format!("id {}", zone.id),
            Some(ZoneName::Iana(zone)) => format!("iana {}", zone.id),
            None => "none".to_owned(),
        };
        assert_eq!(id("UTC"), "id UTC");
        assert_eq!(id("korea standard time"), "id Korea Standard Time");
        assert_eq!(id("Asia/Seoul"), "iana Korea Standard Time");
        assert_eq!(id("Europe/Berlin"), "iana W. Europe Standard Time");
        assert_eq!(id("Etc/UTC"), "iana UTC");
        assert_eq!(id("Mars Standard Time"), "none");
        assert!(zones().len() > 135);
    }

    #[test]
    fn display_names_lead_to_the_id() {
        let guess = |name| guess_zone(name).map(|zone| zone.id);
        assert_eq!(guess("(UTC+09:00) Seoul"), Some("Korea Standard Time"));
        assert_eq!(guess("Pacific Standard Time_dstoff"), Some("Pacific Standard Time"));
        assert_eq!(guess("Pacfic Standard Time"), Some("Pacific Standard Time"));
        assert_eq!(guess("nowhere at all"), None);
    }
}
