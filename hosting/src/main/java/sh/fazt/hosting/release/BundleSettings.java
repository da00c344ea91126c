package sh.fazt.hosting.release;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import sh.fazt.hosting.HostingException;

/**
 * What a bundle's {@code manifest.json} asks of serving. Browsers read a file of this name too, so members that are
 * not ours are left alone. Immutable.
 *
 * @param spa whether unknown paths lead to the start page
 */
record BundleSettings(boolean spa) {
    static final String FILE = "manifest.json";

    /** Far above any that is written by hand or by a build. */
    static final int MOST_BYTES = 1 << 20;

    static final BundleSettings NONE = new BundleSettings(false);

    private static final JsonFactory JSON = new JsonFactory();

    /** Reads the file; fails with {@code INVALID}, naming the place, when it is no JSON object. */
    static BundleSettings parse(byte[] json) {
        boolean spa = false;
        try (JsonParser parser = JSON.createParser(json)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw invalid("it is no JSON object: it starts with { and ends with }");
            }
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.currentName();
                JsonToken value = parser.nextToken();
                if (name.equals("spa")) {
                    if (value != JsonToken.VALUE_TRUE && value != JsonToken.VALUE_FALSE) {
                        throw invalid("\"spa\" is true or false, not " + parser.getText());
                    }
                    spa = value == JsonToken.VALUE_TRUE;
                }
                parser.skipChildren();
            }
            if (parser.nextToken() != null) {
                throw invalid("something follows after the closing }");
            }
            return new BundleSettings(spa);
        } catch (JsonProcessingException e) {
            throw invalid("line " + e.getLocation().getLineNr() + ", column "
                    + e.getLocation().getColumnNr() + ": " + e.getOriginalMessage());
        } catch (IOException e) {
            throw new IllegalStateException("memory can be read", e);
        }
    }

    private static HostingException invalid(String why) {
        return new HostingException(
                HostingException.Reason.INVALID, FILE + " can't be read, so nothing was deployed: " + why);
    }
}
