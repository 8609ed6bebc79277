/** The chart library, as the server delivers it. */
declare module '*/uPlot.esm.js' {
  export { default } from 'uplot';
}
