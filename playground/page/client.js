// A worker that is asked one question at a time, ended when it says nothing for too long, and started anew.
const SILENCE = 3000;
// What is said of a question that nobody waits for any more.
const DROPPED = "dropped";

class Client {
  constructor(module, source) {
    this.module = module;
    this.source = source;
    this.waiting = [];
    this.current = null;
    this.start();
  }

  start() {
    this.isReady = false;
    this.panic = null;
    this.worker = new Worker(this.source);
    this.worker.onmessage = ({ data }) => this.hear(data);
    this.worker.onerror = (event) => this.restart("the worker failed: " + event.message);
    this.worker.postMessage({ module: this.module });
  }

  // The answer to a question, as an object; `tell` gets what is told before it.
  ask(question, tell = () => {}) {
    return new Promise((resolve, reject) => {
      this.waiting.push({ question, tell, resolve, reject });
      this.next();
    });
  }

  next() {
    if (!this.isReady || this.current || !this.waiting.length) return;
    this.current = this.waiting.shift();
    this.watch();
    this.worker.postMessage({ question: JSON.stringify(this.current.question) });
  }

  watch() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.restart("stopped: no answer within " + SILENCE / 1000 + " s"), SILENCE);
  }

  hear(data) {
    if (data.ready) {
      this.isReady = true;
    } else if (data.told !== undefined) {
      const told = JSON.parse(data.told);
      if (told.panic) this.panic = told.panic;
      else if (this.current) {
        this.watch();
        this.current.tell(told);
      }
      return;
    } else if (data.died !== undefined) {
      this.restart("the model stopped: " + (this.panic || data.died));
      return;
    } else if (this.current) {
      const { resolve } = this.current;
      clearTimeout(this.timer);
      this.current = null;
      resolve(JSON.parse(data.answer));
    }
    this.next();
  }

  // Ends what runs, for this reason; what waits is asked of the next worker.
  restart(why) {
    clearTimeout(this.timer);
    this.worker.terminate();
    const current = this.current;
    this.current = null;
    this.start();
    if (current) current.reject(new Error(why));
  }

  // Forgets what waits.
  drop() {
    this.waiting.splice(0).forEach(({ reject }) => reject(new Error(DROPPED)));
  }

  stop() {
    this.drop();
    if (this.current) this.restart("stopped");
  }
}
