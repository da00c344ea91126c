package sh.fazt.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SwarmCommandsTest {
    @Test
    void theStatusSaysUnderTheTableWhatIsWrongWithAMember() {
        String status = SwarmCommands.table(Json.read("""
                {"swarm": {"id": "s", "name": "family"}, "self": {"id": "a", "name": "home"}, "leader": null,
                 "quorum": true, "config_version": 7, "members": [
                  {"id": "a", "name": "home", "role": "leader", "state": "alive", "problem": "",
                   "sync": {"offences": 0, "floods": 0}},
                  {"id": "c", "name": "tv", "role": "voter", "state": "alive", "problem": "",
                   "behind": {"changes": 3, "bytes": 4096},
                   "sync": {"offences": 1, "floods": 12, "oldest_unsent_ms": 61000, "ahead_changes": 2}},
                  {"id": "b", "name": "phone", "role": "voter", "state": "dead",
                   "problem": "it speaks peer protocol 3 to 4, this node 1 to 1: update fazt on this node"}],
                 "parked": [{"reason": "drawings: unknown table", "rows": 12}]}
                """));
        assertThat(status.lines())
                .contains(
                        "tv has 2 changes that are not here yet",
                        "tv broke the rules 1 time: see \"fazt swarm events\"",
                        "tv sent faster than this node took it 12 times: see \"fazt swarm events\"")
                .contains("phone can't be linked: it speaks peer protocol 3 to 4, this node 1 to 1: update fazt on this"
                        + " node")
                .endsWith("12 rows wait for a release of fazt that knows them: drawings: unknown table")
                .anyMatch(line -> line.startsWith("tv ") && line.contains("3 changes, 4 KiB, the oldest 1 min ago"))
                .noneMatch(line -> line.startsWith("home ") && !line.startsWith("home *"));
    }
}
