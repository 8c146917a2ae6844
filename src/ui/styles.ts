/** All style sheets, in the order in which they override each other. */
import "@mantine/core/styles.css";
import "@mantine/dropzone/styles.css";
import "uplot/dist/uPlot.min.css";
import "./styles.css";
import "./styles-model.css";
import "./styles-data.css";
import "./styles-train.css";
import "./styles-run.css";
import "./styles-library.css";
import "./styles-settings.css";
