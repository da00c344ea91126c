package sh.fazt.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** What {@code fazt swarm status} shows of schema levels. */
final class SwarmStatusTest {
    private static String shown(String agreed, String one, String two) {
        return SwarmCommands.table(Json.read("{\"swarm\":{\"name\":\"family\"},\"self\":{\"id\":\"a\"},\"leader\":null,"
                + "\"quorum\":true,\"config_version\":9," + agreed + "\"members\":[{\"id\":\"a\",\"name\":\"home\""
                + one
                + "},{\"id\":\"b\",\"name\":\"phone\"" + two + "}]}"));
    }

    @Test
    void theLevelOfEachMemberIsShownWhileTheyDiffer() {
        assertThat(shown("\"schema_level\":2,", ",\"schema_level\":2", ",\"schema_level\":2"))
                .contains("config version 9, schema level 2\n")
                .doesNotContain("LEVEL");
        assertThat(shown("\"schema_level\":2,", ",\"schema_level\":3", ",\"schema_level\":2"))
                .contains("config version 9, schema level 2\n", "ID  LEVEL\n", "a   3\n", "b   2");
    }

    @Test
    void howLongAgoEachWasHeardIsShownInItsLargestUnit() {
        assertThat(shown("", "", ",\"last_heard_ms\":640"))
                .containsPattern("home \\* +- ")
                .containsPattern("phone +1 s ago ");
        assertThat(Table.ago("59499")).isEqualTo("59 s ago");
        assertThat(Table.ago("60000")).isEqualTo("1 min ago");
        assertThat(Table.ago("7199000")).isEqualTo("1 h ago");
        assertThat(Table.ago("172800000")).isEqualTo("2 d ago");
        assertThat(Table.ago("")).as("never").isEqualTo("-");
    }

    @Test
    void aNodeThatTellsNoneIsShownWithoutThem() {
        assertThat(shown("", "", "")).contains("config version 9\n").doesNotContain("level", "LEVEL");
    }
}
