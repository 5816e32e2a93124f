//! Numbers that are met, missed and mistaken. The clock stands still unless everybody waits.

use super::*;

fn pair() -> (Broker, Broker) {
    let (ours, theirs) = tokio::io::duplex(1000);
    (Broker::new(ours, Side::Client), Broker::new(theirs, Side::Server))
}

async fn talk(mut one: Stream, mut other: Stream) {
    one.write_all(b"hi").await.unwrap();
    let mut heard = [0; 2];
    other.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"hi");
}

#[tokio::test(start_paused = true)]
async fn it_does_not_matter_who_comes_first() {
    let (packer, plugin) = pair();
    let ticket = plugin.offer();
    assert_eq!(ticket.id(), 1);
    let (dialled, accepted) = tokio::join!(packer.dial(1), ticket.accept());
    talk(dialled.unwrap(), accepted.unwrap()).await;
    let early = tokio::spawn({
        let packer = packer.clone();
        async move { packer.dial(7).await.unwrap() }
    });
    tokio::time::advance(Duration::from_secs(3)).await;
    let accepted = plugin.expect(7).accept().await.unwrap();
    talk(early.await.unwrap(), accepted).await;
}

#[tokio::test(start_paused = true)]
async fn both_sides_count_for_themselves() {
    let (packer, plugin) = pair();
    let (theirs, ours) = (packer.offer(), plugin.offer());
    assert_eq!((theirs.id(), ours.id()), (1, 1));
    let (a, b, c, d) = tokio::join!(packer.dial(1), ours.accept(), plugin.dial(1), theirs.accept());
    talk(a.unwrap(), b.unwrap()).await;
    talk(c.unwrap(), d.unwrap()).await;
}

#[tokio::test(start_paused = true)]
async fn nobody_is_waited_for_without_end() {
    let (packer, plugin) = pair();
    assert!(matches!(plugin.offer().accept().await, Err(BrokerError::Nobody(1))));
    assert!(matches!(packer.dial(9).await, Err(BrokerError::Refused(9))));
    assert!(plugin.meetings().is_empty(), "nothing is kept");
    packer.close();
    assert!(matches!(plugin.offer().accept().await, Err(BrokerError::Session(_))));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_echo_is_noticed() {
    let (ours, theirs) = tokio::io::duplex(1000);
    let plugin = Broker::new(ours, Side::Server);
    let packer = Session::new(theirs, Side::Client);
    let answer = async {
        let mut stream = packer.accept().await.unwrap();
        stream.write_all(&[8, 0, 0, 0]).await.unwrap();
        stream
    };
    let (dialled, _stream) = tokio::join!(plugin.dial(3), answer);
    assert!(matches!(dialled, Err(BrokerError::BadEcho { asked: 3, echoed: 8 })));
}
