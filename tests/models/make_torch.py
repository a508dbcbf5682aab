"""Writes tests/models/torch/*.onnx with torch.onnx, and expected.json: each network at points, computed in float64.

Ran with Debian's python3-torch 1.13.1 and python3-onnx 1.12.0: /usr/bin/python3 tests/models/make_torch.py
The expected outputs are those of a float64 copy of the same module (its parameters are the float32 ones, exactly).
"""
import copy, io, json, pathlib, warnings
import onnx, torch
from torch import nn

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).parent / "torch"
HERE.mkdir(exist_ok=True)
expected = {}


class View(nn.Module):
    """x.view(x.size(0), -1), which exports as Shape, Gather, Unsqueeze, Concat, Reshape."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(12, 8), nn.Linear(8, 3)

    def forward(self, x):
        return self.b(torch.relu(self.a(x.view(x.size(0), -1))))


class Reshaped(nn.Module):
    """Transposed image, reshape to a constant shape, squeeze and unsqueeze."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(12, 8), nn.Linear(8, 4)

    def forward(self, x):
        y = x.permute(0, 3, 2, 1).reshape(-1, 12)
        y = torch.relu(self.a(y.unsqueeze(1))).squeeze(1)
        return self.b(y).view(-1, 2, 2).transpose(1, 2)


class Normalized(nn.Module):
    """(x - mean) / std before the network, scaled output after it."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.1307, -0.5, 2.0, 0.25]))
        self.register_buffer("std", torch.tensor([0.3081, 1.5, 0.7, 4.0]))
        self.register_buffer("gain", torch.tensor(3.3))
        self.a, self.b = nn.Linear(4, 8), nn.Linear(8, 2)

    def forward(self, x):
        return 1.0 - self.gain * self.b(torch.relu(self.a((x - self.mean) / self.std))) / 7.0


class TokenWise(nn.Module):
    """A Linear on a tensor of rank 3 (MatMul and Add), slices of it, then flattened."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 5), nn.Linear(10, 3, bias=False)

    def forward(self, x):
        return self.b(torch.relu(self.a(x))[:, 1:, :].flatten(1))


class TwoOutputs(nn.Module):
    """One output that can be certified and one (a softmax) that cannot."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 6), nn.Linear(6, 3)

    def forward(self, x):
        logits = self.b(torch.relu(self.a(x)))
        return torch.softmax(logits, 1), logits


def mlp(*sizes, bias=True):
    layers = []
    for i, (n, m) in enumerate(zip(sizes, sizes[1:])):
        layers += ([nn.ReLU()] if i else []) + [nn.Linear(n, m, bias=bias)]
    return nn.Sequential(*layers)


def export(name, module, shape, opset, output="y", index=None, dynamic=False, dtype=torch.float32, **more):
    training = more.get("training") == torch.onnx.TrainingMode.TRAINING
    module = module.to(dtype).train(training)
    x = torch.rand(shape, dtype=dtype)
    buffer = io.BytesIO()
    outputs = [output] if isinstance(output, str) else output
    axes = {n: {0: "batch"} for n in ["x", *outputs]} if dynamic else None
    torch.onnx.export(module, x, buffer, opset_version=opset, input_names=["x"], output_names=outputs, dynamic_axes=axes, **more)
    model = onnx.load_from_string(buffer.getvalue())
    onnx.checker.check_model(model)
    for node in model.graph.node:
        node.doc_string = ""
    (HERE / f"{name}.onnx").write_bytes(model.SerializeToString())
    exact = copy.deepcopy(module).double().eval()
    points = torch.rand((5, *shape), dtype=torch.float64) * 4 - 2
    points = points.float().double() if dtype == torch.float32 else points
    chosen = outputs[0 if index is None else index]
    results = []
    with torch.no_grad():
        for p in points:
            y = exact(p)
            results.append((y if index is None else y[index]).flatten().tolist())
    expected[name] = {"output": chosen, "operators": sorted({n.op_type for n in model.graph.node}), "opset": opset,
                      "points": [p.flatten().tolist() for p in points], "outputs": results}


torch.manual_seed(20221124)
for opset in range(7, 17):
    export(f"mlp_opset{opset}", mlp(4, 6, 6, 3), (1, 4), opset)
export("mlp_dynamic", mlp(5, 7, 2), (1, 5), 13, dynamic=True)
export("mlp_no_bias", mlp(4, 6, 3, bias=False), (1, 4), 13, dynamic=True)
export("mlp_no_bias_opset9", mlp(4, 6, 3, bias=False), (1, 4), 9)
export("mlp_float64", mlp(4, 6, 3), (1, 4), 13, dtype=torch.float64)
export("mlp_named_output", mlp(3, 5, 2), (1, 3), 14, output="logits of the net")
export("flatten", nn.Sequential(nn.Flatten(), mlp(12, 8, 3)), (1, 3, 2, 2), 13)
export("flatten_dynamic", nn.Sequential(nn.Flatten(), mlp(12, 8, 3)), (1, 3, 2, 2), 13, dynamic=True)
export("dropout", nn.Sequential(nn.Linear(4, 6), nn.Dropout(0.3), nn.ReLU(), nn.Dropout(0.5), nn.Linear(6, 2)), (1, 4), 13)
export("dropout_kept_opset11", nn.Sequential(nn.Linear(4, 6), nn.Dropout(0.3), nn.ReLU(), nn.Linear(6, 2)), (1, 4), 11,
       training=torch.onnx.TrainingMode.TRAINING, do_constant_folding=False)  # before opset 12 the node says no mode: inference
for opset in (9, 11, 13, 16):
    export(f"view_dynamic_opset{opset}", View(), (1, 3, 2, 2), opset, dynamic=True)
export("view_fixed", View(), (1, 3, 2, 2), 13)
for opset in (9, 13):
    export(f"reshaped_opset{opset}", Reshaped(), (1, 2, 3, 2), opset, dynamic=True)
export("normalized", Normalized(), (1, 4), 13, dynamic=True)
export("normalized_float64", Normalized(), (1, 4), 13, dtype=torch.float64)
for opset in (9, 13):
    export(f"token_wise_opset{opset}", TokenWise(), (1, 3, 4), opset, dynamic=True)
export("unfolded", View(), (1, 3, 2, 2), 13, do_constant_folding=False, keep_initializers_as_inputs=True)
export("two_outputs", TwoOutputs(), (1, 4), 13, output=["probabilities", "logits"], index=1, dynamic=True)

# Models with an operator that is not read; they are in expected.json for their operators only.
export("other_leaky", nn.Sequential(nn.Linear(4, 4), nn.LeakyReLU(0.1), nn.Linear(4, 2)), (1, 4), 13)
export("other_tanh", nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 2)), (1, 4), 13)
export("other_conv", nn.Sequential(nn.Conv2d(1, 2, 2), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2)), (1, 1, 3, 3), 13)

text = json.dumps({"made_by": "tests/models/make_torch.py", "torch": torch.__version__, "onnx": onnx.__version__, "models": expected})
(HERE / "expected.json").write_text(text + "\n")
