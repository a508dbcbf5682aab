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
EPS = 2 ** -16  # numbers of attributes are float32 in a file: take such ones


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


class Residual(nn.Module):
    """Two residual blocks, the second with a projection on its shortcut."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(2, 2, 3, padding=1)
        self.c, self.d = nn.Conv2d(2, 3, 3, stride=2, padding=1), nn.Conv2d(2, 3, 1, stride=2)
        self.e = nn.Linear(12, 3)

    def forward(self, x):
        x = torch.relu(x + self.b(torch.relu(self.a(x))))
        x = torch.relu(self.c(x)) - self.d(x)
        return self.e(x.flatten(1))


class Decoder(nn.Module):
    """A vector that becomes an image by transposed convolutions."""

    def __init__(self):
        super().__init__()
        self.a = nn.Linear(3, 8)
        self.b = nn.ConvTranspose2d(2, 4, 3, stride=2, padding=1, output_padding=1, groups=2)
        self.c = nn.ConvTranspose2d(4, 1, 2, dilation=2)

    def forward(self, x):
        return self.c(torch.relu(self.b(torch.relu(self.a(x)).view(1, 2, 2, 2))))


class Dense(nn.Module):
    """Concatenated branches, split again, with means over axes."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(4, 5), nn.Linear(9, 6), nn.Linear(3, 2)

    def forward(self, x):
        h = torch.cat([x, torch.relu(self.a(x))], 1)
        p, q = torch.split(nn.functional.leaky_relu(self.b(h), -0.25), [3, 3], 1)
        return torch.cat([self.c(p - q.abs()), -h.mean(1, keepdim=True), q.sum(1, keepdim=True)], 1)


class Padded(nn.Module):
    """Padding with a constant, cropping, average pools of both kinds."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(1, 3, 3), nn.Linear(3 * 4, 2)

    def forward(self, x):
        x = self.a(nn.functional.pad(x, (1, 2, -1, 2), value=0.5))
        x = nn.functional.avg_pool2d(torch.relu(x), 3, stride=2, padding=1, count_include_pad=True)
        x = nn.functional.avg_pool2d(x, 2, stride=1, padding=1, count_include_pad=False)
        return self.b(nn.functional.pad(x, (-1, -1, -1, -1)).flatten(1))


class Normalization(nn.Module):
    """Batch normalization of each rank, with statistics of its own."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.BatchNorm2d(2, EPS), nn.BatchNorm1d(3, EPS), nn.BatchNorm1d(4, EPS)
        self.d, self.e = nn.Conv1d(2, 3, 2), nn.Linear(9, 4)
        for norm in (self.a, self.b, self.c):
            for tensor in (norm.weight, norm.bias, norm.running_mean):
                tensor.data.uniform_(-1, 1)
            norm.running_var.data.uniform_(0.2, 2)

    def forward(self, x):
        x = torch.relu(self.a(x)).flatten(2)
        return self.c(torch.relu(self.e(self.b(torch.relu(self.d(x))).flatten(1))))


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

export("cnn", nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(4, 4, 3, dilation=2, padding=1, groups=2),
       nn.ReLU(), nn.Flatten(), nn.Linear(16, 3)), (1, 3, 8, 8), 13)
export("cnn_dynamic_opset9", nn.Sequential(nn.Conv2d(1, 2, 2), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2)), (1, 1, 3, 3), 9, dynamic=True)
export("cnn_1d", nn.Sequential(nn.Conv1d(2, 3, 3, stride=2), nn.ReLU(), nn.AvgPool1d(2), nn.Flatten(), nn.Linear(6, 2)), (1, 2, 9), 13)
export("cnn_global", nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 2)),
       (1, 1, 4, 5), 13)
export("decoder", Decoder(), (1, 3), 13)
for opset in (9, 11, 16):
    export(f"residual_opset{opset}", Residual(), (1, 2, 4, 4), opset, dynamic=True)
    export(f"dense_opset{opset}", Dense(), (1, 4), opset, dynamic=True)
    export(f"padded_opset{opset}", Padded(), (1, 1, 6, 5), opset)
for opset in (9, 16):
    export(f"normalization_opset{opset}", Normalization(), (1, 2, 2, 2), opset)
export("normalization_after_conv", nn.Sequential(nn.Conv2d(1, 2, 2), nn.BatchNorm2d(2, EPS), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2)),
       (1, 1, 3, 3), 13, training=torch.onnx.TrainingMode.PRESERVE)  # else the exporter folds it into the convolution, in float32
for opset in (9, 13):
    export(f"activations_opset{opset}", nn.Sequential(
           nn.Linear(4, 6), nn.LeakyReLU(0.125), nn.Linear(6, 6), nn.PReLU(6, 0.3), nn.Linear(6, 6), nn.ReLU6(),
           nn.Linear(6, 6), nn.Hardtanh(-0.375, 0.75), nn.Linear(6, 4), nn.PReLU(1, -0.5), nn.LeakyReLU(1.5)), (1, 4), opset)

# Models with an operator that is not read; they are in expected.json for their operators only.
export("other_tanh", nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 2)), (1, 4), 13)
export("other_max_pool", nn.Sequential(nn.Conv2d(1, 2, 2), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(2, 2)), (1, 1, 3, 3), 13)

text = json.dumps({"made_by": "tests/models/make_torch.py", "torch": torch.__version__, "onnx": onnx.__version__, "models": expected})
(HERE / "expected.json").write_text(text + "\n")
