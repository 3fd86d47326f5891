package io.linesight.mmad.view;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.mmad.checkpoint.ProductName;
import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.Preprocess;
import io.linesight.mmad.image.RgbImage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * How a checkpoint looks at frames: by product; a product without a layout is looked at as a whole, at 256x256.
 * Immutable, thread-safe.
 */
public final class ViewLayouts {
    /** Property of a checkpoint: JSON. */
    public static final String PROPERTY = "linesight.views";
    /** A checkpoint without regions and tiles. */
    public static final ViewLayouts NONE = new ViewLayouts(new TreeMap<>(), 0);

    private static final ObjectMapper JSON =
            new ObjectMapper().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);

    private final TreeMap<String, ViewLayout> byProduct;
    private final TreeMap<String, ViewBlend> blends = new TreeMap<>();
    private final TreeMap<String, Integer> firstPlace = new TreeMap<>();
    private final double topShare;

    /** As the property has it; corners as x, y, tiles as x, y, width, height. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    private record Entry(int width, int height, int @Nullable [][] roi, int[][] tiles, double @Nullable [][] levels) {}

    private record Stored(double topShare, Map<String, Entry> products) {}

    private ViewLayouts(Map<String, ViewLayout> byProduct, double topShare) {
        this(byProduct, topShare, Map.of());
    }

    private ViewLayouts(Map<String, ViewLayout> byProduct, double topShare, Map<String, double[][]> levels) {
        if (!(topShare >= 0 && topShare <= 1))
            throw new IllegalArgumentException("a share must be 0..1, got " + topShare);
        this.byProduct = new TreeMap<>();
        byProduct.forEach((product, layout) -> this.byProduct.put(key(product), layout));
        this.topShare = topShare;
        int place = 1;
        for (Map.Entry<String, ViewLayout> e : this.byProduct.entrySet()) {
            firstPlace.put(e.getKey(), place);
            place += e.getValue().tiles().size();
            blends.put(e.getKey(), new ViewBlend(e.getValue(), topShare, levels.get(e.getKey())));
        }
    }

    /**
     * Layouts of products.
     *
     * @param topShare of a view's pixels, the highest, whose mean is the image score; 0 = the highest pixel
     */
    public static ViewLayouts of(Map<String, ViewLayout> byProduct, double topShare) {
        return byProduct.isEmpty() ? NONE : new ViewLayouts(byProduct, topShare);
    }

    /**
     * The same with what is normal in each view, for maps whose unit differs from view to view.
     *
     * @param levels by product, for every view mean and deviation of its map on normal frames
     */
    public ViewLayouts withLevels(Map<String, double[][]> levels) {
        return new ViewLayouts(byProduct, topShare, levels);
    }

    /**
     * Those of a checkpoint.
     *
     * @param properties of the file
     * @throws IOException when what it has cannot be read
     */
    public static ViewLayouts read(Map<String, String> properties) throws IOException {
        String json = properties.get(PROPERTY);
        if (json == null) return NONE;
        try {
            Stored stored = JSON.readValue(json, Stored.class);
            Map<String, ViewLayout> layouts = new TreeMap<>();
            Map<String, double[][]> levels = new TreeMap<>();
            stored.products.forEach((product, e) -> {
                layouts.put(product, layout(e));
                if (e.levels != null) levels.put(product, e.levels);
            });
            return new ViewLayouts(layouts, stored.topShare, levels);
        } catch (JsonProcessingException | IllegalArgumentException | NullPointerException e) {
            throw new IOException("its regions and tiles (" + PROPERTY + ") cannot be read: " + e.getMessage(), e);
        }
    }

    private static ViewLayout layout(Entry e) {
        Roi roi = null;
        if (e.roi != null) {
            int[] x = new int[e.roi.length];
            int[] y = new int[e.roi.length];
            for (int i = 0; i < x.length; i++) {
                check(e.roi[i], 2, "corner");
                x[i] = e.roi[i][0];
                y[i] = e.roi[i][1];
            }
            roi = new Roi(x, y);
        }
        List<Box> tiles = new ArrayList<>();
        for (int[] t : e.tiles) {
            check(t, 4, "tile");
            tiles.add(new Box(t[0], t[1], t[2], t[3]));
        }
        return new ViewLayout(e.width, e.height, roi, tiles);
    }

    private static void check(int[] values, int count, String what) {
        if (values.length != count)
            throw new IllegalArgumentException("a " + what + " has " + count + " numbers, got " + values.length);
    }

    /** The property; empty where there are no layouts. */
    public Map<String, String> properties() {
        if (byProduct.isEmpty()) return Map.of();
        Map<String, Entry> entries = new TreeMap<>();
        byProduct.forEach((product, l) ->
                entries.put(product, entry(l, blends.get(product).levels())));
        try {
            return Map.of(PROPERTY, JSON.writeValueAsString(new Stored(topShare, entries)));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Entry entry(ViewLayout l, double @Nullable [][] levels) {
        int[][] corners = null;
        if (l.roi() != null) {
            corners = new int[l.roi().x().length][];
            for (int i = 0; i < corners.length; i++)
                corners[i] = new int[] {l.roi().x()[i], l.roi().y()[i]};
        }
        int[][] tiles = l.tiles().stream()
                .map(t -> new int[] {t.x(), t.y(), t.width(), t.height()})
                .toArray(int[][]::new);
        return new Entry(l.width(), l.height(), corners, tiles, levels);
    }

    /** Whether every product is looked at as a whole. */
    public boolean isEmpty() {
        return byProduct.isEmpty();
    }

    /** Layouts by product. */
    public Map<String, ViewLayout> byProduct() {
        return Map.copyOf(byProduct);
    }

    /** How a product is looked at; null = as a whole, at 256x256. */
    public @Nullable ViewLayout of(@Nullable String product) {
        return byProduct.isEmpty() ? null : byProduct.get(key(product));
    }

    /** How a product's maps become one. */
    public ViewBlend blend(@Nullable String product) {
        ViewBlend blend = blends.get(key(product));
        if (blend == null) throw new IllegalArgumentException("product '" + product + "' has no layout");
        return blend;
    }

    /** Number of a view's place: 0 for the whole of any product, its own for every tile of every product. */
    public int place(@Nullable String product, int view) {
        return view == 0 ? 0 : firstPlace.get(key(product)) + view - 1;
    }

    private static String key(@Nullable String product) {
        return Objects.requireNonNullElse(ProductName.of(product), "");
    }

    /** Views of a frame of a product. */
    public int views(@Nullable String product) {
        ViewLayout layout = of(product);
        return layout == null ? 1 : layout.views();
    }

    /**
     * What a model takes of a frame: all views of it, one after the other.
     *
     * @throws BadImageException when the frame is not of the proportions that its product's layout was made for
     */
    public byte[] cut(@Nullable String product, RgbImage frame) throws BadImageException {
        ViewLayout layout = of(product);
        return layout == null ? Preprocess.toModelInput(frame) : layout.cut(frame);
    }

    @Override
    public boolean equals(Object other) {
        return other == this || other instanceof ViewLayouts o && properties().equals(o.properties());
    }

    @Override
    public int hashCode() {
        return byProduct.hashCode();
    }
}
