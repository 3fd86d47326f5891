package io.linesight.models.signing;

import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A key file as text: PEM blocks with anything around them. What is not a block of the wanted kind is named in the
 * error, with the way to a key that can be used.
 */
final class KeyText {
    private static final int MAX_FILE_BYTES = 1 << 16;
    private static final Pattern BEGIN = Pattern.compile("-----BEGIN ([A-Z0-9 ]{1,64}+)-----");
    private static final String MAKE = "; 'linesight models keygen' makes a pair";

    private final Path file;
    private final byte[] content;
    private final List<Block> blocks = new ArrayList<>();

    /** @param label what stands after BEGIN */
    private record Block(String label, String body) {}

    private KeyText(Path file, byte[] content) {
        this.file = file;
        this.content = content;
        findBlocks(new String(content, charset(content)));
    }

    /** Looks for the end of a kind of block in vain once only: a file may hold thousands of beginnings. */
    private void findBlocks(String text) {
        Set<String> endless = new HashSet<>();
        Matcher begin = BEGIN.matcher(text);
        int from = 0;
        while (begin.find(from)) {
            String label = begin.group(1);
            int end = endless.contains(label) ? -1 : text.indexOf("-----END " + label + "-----", begin.end());
            if (end < 0) endless.add(label);
            else blocks.add(new Block(label, text.substring(begin.end(), end)));
            from = end < 0 ? begin.end() : end;
        }
    }

    /** @throws IOException naming the file when it cannot be read or is far too large */
    static KeyText read(Path file) throws IOException {
        try {
            if (Files.isDirectory(file)) throw new IOException(file + " is a folder, a key file is needed");
            if (Files.size(file) > MAX_FILE_BYTES) throw new IOException(file + " is far too large for a key");
            return new KeyText(file, Files.readAllBytes(file));
        } catch (NoSuchFileException e) {
            throw new NoSuchFileException(file.toString(), null, "there is no such key file");
        }
    }

    /** Windows' PowerShell writes UTF-16 when output is redirected into a file. */
    private static Charset charset(byte[] content) {
        boolean marked = content.length >= 2
                && ((content[0] & 0xff) == 0xff && (content[1] & 0xff) == 0xfe
                        || (content[0] & 0xff) == 0xfe && (content[1] & 0xff) == 0xff);
        return marked ? StandardCharsets.UTF_16 : StandardCharsets.ISO_8859_1;
    }

    /**
     * The content of all blocks with a label.
     *
     * @param label {@code PUBLIC KEY} or {@code PRIVATE KEY}
     * @return at least one
     * @throws IOException saying what the file holds instead and what to do
     */
    List<byte[]> blocks(String label) throws IOException {
        List<byte[]> found = new ArrayList<>();
        for (Block block : blocks) {
            if (!block.label.equals(label)) continue;
            try {
                found.add(Base64.getMimeDecoder().decode(block.body));
            } catch (IllegalArgumentException e) {
                throw new IOException(file + " is damaged: its key is no Base64", e);
            }
        }
        if (found.isEmpty())
            throw new IOException(file + " holds no " + label.toLowerCase(Locale.ROOT) + " in PEM form, but "
                    + instead(label.startsWith("PRIVATE")));
        return found;
    }

    private String instead(boolean privateWanted) {
        if (blocks.isEmpty()) return withoutBlocks();
        List<String> labels = blocks.stream().map(Block::label).distinct().toList();
        if (labels.contains(privateWanted ? "PUBLIC KEY" : "PRIVATE KEY"))
            return (privateWanted ? "a public key" : "a private key") + ": give the other file of the pair";
        for (String label : labels) {
            switch (label) {
                case "ENCRYPTED PRIVATE KEY" -> {
                    return privateWanted
                            ? "an encrypted private key: decrypt it into a file that only you can read "
                                    + "(umask 077; openssl pkey -in " + file + " -out line.key)"
                            : "an encrypted private key: give the public key of the pair (openssl pkey -in " + file
                                    + " -pubout -out line.pub)";
                }
                case "OPENSSH PRIVATE KEY" -> {
                    return "a private key in OpenSSH's form, which is for logins" + MAKE;
                }
                case "CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CERTIFICATE" -> {
                    return privateWanted
                            ? "a certificate: give the private key that belongs to it"
                            : "a certificate: trust is given to keys alone. Take its key out (openssl x509 -in " + file
                                    + " -noout -pubkey -out line.pub), which must be an Ed25519 key" + MAKE;
                }
                default -> {
                    String algorithm = label.split(" ")[0];
                    if (label.matches("(RSA|EC|DSA) (PRIVATE|PUBLIC) KEY"))
                        return "one of " + algorithm + " (PKCS#1 or SEC 1): an Ed25519 key is needed" + MAKE;
                }
            }
        }
        return labels.stream().collect(Collectors.joining(", ", "", MAKE));
    }

    private String withoutBlocks() {
        String text = new String(content, charset(content)).strip();
        if (text.matches("(?s)(ssh|ecdsa|sk)-\\S+ .*"))
            return "a public key in OpenSSH's form, which is for logins" + MAKE;
        if (text.startsWith("---- BEGIN SSH2")) return "a public key in SSH2's form, which is for logins" + MAKE;
        if (text.startsWith("PuTTY-User-Key-File")) return "a key of PuTTY, which is for logins" + MAKE;
        if (content.length > 2 && content[0] == 0x30)
            return "binary data (DER or PKCS#12): convert it (openssl pkey -inform DER -in " + file
                    + " -out line.key; with -pubin and -pubout for a public key)";
        if (text.contains("-----BEGIN ")) return "a block without its end: the file was cut off. Copy it again";
        return text.isEmpty() ? "nothing: the file is empty" : "something else" + MAKE;
    }
}
