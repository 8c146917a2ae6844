/** All style sheets, in the order in which they override each other. */
import "./mantine";
import "@mantine/dropzone/styles.css";
import "@mantine/spotlight/styles.css";
import "uplot/dist/uPlot.min.css";
import "./base.css";
import "./frame.css";
import "./model.css";
import "./data.css";
import "./train.css";
import "./run.css";
import "./trial.css";
import "./library.css";
import "./settings.css";
import "./keys.css";
import "./offline.css";
