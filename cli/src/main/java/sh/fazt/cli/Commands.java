package sh.fazt.cli;

import java.util.List;

/** The command table: what there is, in the order of the help. */
final class Commands {
    private Commands() {}

    static final List<Command.Flag> COMMON = List.of(
            new Command.Flag("db", "FILE", "the cartridge; else $FAZT_DB, else ~/.fazt/data.db"),
            new Command.Flag("format", "json|table", "how to print; a table on a terminal, else JSON"));

    private static final List<Command.Flag> CONFLICT_PAGE = List.of(
            new Command.Flag("app", "NAME", "only this app's; \"system\" for the swarm's own"),
            new Command.Flag("limit", "50", "how many on a page"),
            new Command.Flag("page", "1", "which page"));

    static final List<Command> ALL = List.of(
            new Command(
                    "server start",
                    List.of(),
                    List.of(
                            new Command.Flag("port", "8080", "HTTP port"),
                            new Command.Flag("swarm-port", "5698", "port of the links to other nodes"),
                            new Command.Flag("bind", "127.0.0.1", "address to listen on"),
                            new Command.Flag("name", "N", "what to call this node"),
                            new Command.Flag("domain", "localhost", "where the sites live")),
                    "serve; creates the cartridge when there is none",
                    ServerCommands::start),
            new Command(
                    "server status",
                    List.of(),
                    List.of(),
                    "what the running node says of itself",
                    ServerCommands::status),
            new Command(
                    "server backup",
                    List.of("FILE"),
                    List.of(),
                    "write a copy of the cartridge, while the node goes on",
                    BackupCommands::backup),
            new Command(
                    "server restore",
                    List.of("FILE"),
                    List.of(),
                    "put a backup in the cartridge's place, which no node runs; the old one is kept beside it",
                    BackupCommands::restore),
            new Command(
                    "swarm init",
                    List.of(),
                    List.of(new Command.Flag("name", "N", "the swarm's name")),
                    "name the swarm that a new node is by itself",
                    SwarmCommands::init),
            new Command(
                    "swarm token",
                    List.of(),
                    List.of(
                            new Command.Flag("ttl", "15m", "how long it is good for"),
                            new Command.Flag("words", "", "as words, to read aloud or write down"),
                            new Command.Flag("qr", "", "as a QR code, to scan from this terminal")),
                    "print a join token, good for one node",
                    SwarmCommands::token),
            new Command(
                    "swarm join",
                    List.of("TOKEN..."),
                    List.of(new Command.Flag(
                            "observer", "", "follow without a vote: for what sleeps or is often away")),
                    "join the swarm that issued the token, given as text or as its words",
                    SwarmCommands::join),
            new Command("swarm status", List.of(), List.of(), "members, leader, quorum", SwarmCommands::status),
            new Command(
                    "swarm discover",
                    List.of(),
                    List.of(),
                    "nodes on the local network, and the router's port",
                    SwarmCommands::discover),
            new Command(
                    "swarm leave",
                    List.of(),
                    List.of(new Command.Flag(
                            "force", "", "also when the others can't agree, or lack some of what is here")),
                    "leave, once another member has all of what is here, and be a swarm of one again",
                    SwarmCommands::leave),
            new Command("swarm promote", List.of("NODE"), List.of(), "let an observer vote", RoleCommands::promote),
            new Command(
                    "swarm demote",
                    List.of("NODE"),
                    List.of(),
                    "let a voter observe: for what sleeps, or is away for long",
                    RoleCommands::demote),
            new Command(
                    "swarm evict",
                    List.of("NODE"),
                    List.of(new Command.Flag("force", "", "also when it alone keeps some app, which is lost then")),
                    "shut a member out for good and at once, such as a phone that was stolen; warns of what only it had",
                    MemberCommands::evict),
            new Command(
                    "swarm rotate-key",
                    List.of(),
                    List.of(),
                    "give this node a new key, for good; it stays the member that it is",
                    MemberCommands::rotateKey),
            new Command(
                    "swarm clone",
                    List.of(),
                    List.of(),
                    "give a copied cartridge, which no node runs, an identity of its own",
                    MemberCommands::cloneCartridge),
            new Command(
                    "swarm recover",
                    List.of(),
                    List.of(new Command.Flag("force", "", "yes, the majority is lost for good")),
                    "let the survivor of a lost majority decide alone",
                    SwarmCommands::recover),
            new Command(
                    "swarm link list",
                    List.of(),
                    List.of(),
                    "this node's links: class, way, rates, budgets",
                    LinkCommands::list),
            new Command(
                    "swarm link set",
                    List.of("PEER|default", "KEY", "VALUE"),
                    List.of(),
                    "set rate, budget, metered or relay of links; \"unset\" takes back. A peer's budget is for its link, the"
                            + " default one for all metered links together",
                    LinkCommands::set),
            new Command(
                    "swarm conflicts",
                    List.of(),
                    CONFLICT_PAGE,
                    "what lost when two nodes wrote the same",
                    ConflictCommands::list),
            new Command("swarm conflicts list", List.of(), CONFLICT_PAGE, "the same", ConflictCommands::list),
            new Command(
                    "swarm conflicts show",
                    List.of("ID"),
                    List.of(),
                    "what lost beside what the row says now",
                    ConflictCommands::show),
            new Command(
                    "swarm conflicts restore",
                    List.of("ID"),
                    List.of(),
                    "write back what lost; what that overwrites is kept as a conflict",
                    ConflictCommands::restore),
            new Command(
                    "swarm conflicts dismiss",
                    List.of("ID"),
                    List.of(),
                    "take a conflict off the list, on every node",
                    ConflictCommands::dismiss),
            new Command(
                    "swarm placement",
                    List.of(),
                    List.of(),
                    "which members keep which app, and how far they are",
                    PlacementCommands::list),
            new Command(
                    "swarm place",
                    List.of("APP", "all|on|label", "[NODES|LABEL]"),
                    List.of(new Command.Flag(
                            "lazy", "NODES", "members that keep it too, but fetch its files on first use")),
                    "have all members keep an app, or \"on NODE,NODE\", or \"label KEY=VALUE\"",
                    PlacementCommands::place),
            new Command(
                    "swarm label",
                    List.of("NODE", "LABEL..."),
                    List.of(),
                    "set a member's labels, as KEY=VALUE, or take them off, as KEY-",
                    PlacementCommands::label),
            new Command(
                    "swarm lock",
                    List.of("NAME", "-- COMMAND..."),
                    List.of(
                            new Command.Flag(
                                    "ttl", "30s", "what the lease lasts from one renewal to the next: 5s to 1h"),
                            new Command.Flag("wait", "1m", "how long to wait for it; 0 tries once")),
                    "run a command while no other node runs one under that name",
                    LeaseCommands::lock),
            new Command(
                    "swarm lease list",
                    List.of(),
                    List.of(),
                    "leases, who holds them, for how long",
                    LeaseCommands::list),
            new Command(
                    "swarm lease release",
                    List.of("NAME"),
                    List.of(new Command.Flag("force", "", "yes, whoever holds it")),
                    "take a lease from its holder, who hears of it at its next renewal",
                    LeaseCommands::release),
            new Command(
                    "swarm sync",
                    List.of("[APP]"),
                    List.of(),
                    "have all files fetched that this node lacks, and wait for them",
                    PlacementCommands::sync),
            new Command(
                    "swarm verify",
                    List.of("[APP]"),
                    List.of(new Command.Flag("repair", "", "put right what differs; what is written over is kept")),
                    "compare every member's rows with those here",
                    WatchCommands::verify),
            new Command(
                    "swarm events",
                    List.of(),
                    List.of(
                            new Command.Flag("follow", "", "go on with what happens"),
                            new Command.Flag("f", "", "the same")),
                    "what happened in the swarm since this node started",
                    WatchCommands::events),
            new Command(
                    "app deploy",
                    List.of("DIR"),
                    List.of(new Command.Flag("name", "N", "the app; else manifest.json's name, else the folder's")),
                    "make a folder the app's new release",
                    AppCommands::deploy),
            new Command("app list", List.of(), List.of(), "every app", AppCommands::list),
            new Command(
                    "app releases",
                    List.of("APP"),
                    List.of(),
                    "an app's releases, newest first",
                    AppCommands::releases),
            new Command("alias list", List.of(), List.of(), "names that lead to apps", AppCommands::aliases),
            new Command(
                    "alias set", List.of("NAME", "APP"), List.of(), "let a name lead to an app", AppCommands::setAlias),
            new Command(
                    "alias remove", List.of("NAME"), List.of(), "let a name lead nowhere", AppCommands::removeAlias),
            new Command(
                    "time status", List.of(), List.of(), "this node's clock beside its peers'", SwarmCommands::time),
            new Command(
                    "config list", List.of(), List.of(), "settings, and where each comes from", ServerCommands::config),
            new Command(
                    "config set", List.of("KEY", "VALUE"), List.of(), "change a setting", ServerCommands::setConfig),
            new Command("demo", List.of(), List.of(), "three nodes on this machine, to split and heal", Demo::run));
}
